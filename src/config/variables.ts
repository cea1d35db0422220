// `${NAME}` stands for an environment variable and is replaced while a document is read. `$${NAME}` stands for the text
// `${NAME}` itself, so that every text can be written down. `${env:NAME}` and `${file:PATH}` have a colon and are none of
// our business here: they travel as they are (see secret-reference.ts).
const VARIABLE = /(\$?)\$\{([A-Za-z_]\w*)\}/g;

export type Variables = Readonly<Record<string, string | undefined>>;

/** For what comes from elsewhere: who sends a document is not to learn the environment of the process that reads it. */
export const NO_VARIABLES: Variables = Object.freeze({});

/** Replaces variables; the names of those that have no value are added to `unset`. What was put in is not read again. */
export function replaceVariables(text: string, variables: Variables, unset: Set<string>): string {
  if (!text.includes("${")) return text;
  return text.replace(VARIABLE, (whole, escaped: string, name: string) => {
    if (escaped !== "") return whole.slice(1);
    const value = Object.hasOwn(variables, name) ? variables[name] : undefined;
    if (value === undefined) unset.add(name);
    return value ?? whole;
  });
}

/** Writes `text` so that reading it with any variables gives it back. */
export function escapeVariables(text: string): string {
  return text.includes("${") ? text.replace(VARIABLE, (whole) => `$${whole}`) : text;
}

/** The names of the variables that a text mentions. */
export function variableNames(text: string): string[] {
  return [...text.matchAll(VARIABLE)].filter(([, escaped]) => escaped === "").map(([, , name]) => name!);
}
