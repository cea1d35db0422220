import {
  CORE_SCHEMA,
  defineScalarTag,
  load,
  mergeTag,
  NOT_RESOLVED,
  type Schema,
  strTag,
  YAMLException,
} from "js-yaml";
import type { Json, JsonObject } from "./json.ts";
import { type Checked, checked, type Problem, refused } from "./problem.ts";
import { sourcePlaces } from "./source-lines.ts";
import { NO_VARIABLES, replaceVariables, type Variables, variableNames } from "./variables.ts";

/**
 * Reading YAML with variables. They are replaced inside the scalars that the parser has found, never in the raw text, so
 * that no value can add a key, a line or an anchor to the document, and a comment may name a variable that is not set.
 * A plain scalar that becomes a number, true or false by it is one (`port: ${PORT}`); a quoted scalar stays text
 * (`header: "${CODE}"`).
 */
const MAX_CHARACTERS = 64 * 1024 * 1024;
const MAX_DEPTH = 64;
/** Values after aliases are expanded, so that a few hundred bytes of anchors cannot become gigabytes. */
const MAX_VALUES = 5_000_000;
const MAX_ALIASES = 10_000;

/** The mapping that a YAML text holds. Without `variables`, `${NAME}` is text like any other. */
export function readYaml(text: string, variables?: Variables): Checked<JsonObject> {
  if (text.length > MAX_CHARACTERS) return refusal(`the document is longer than ${MAX_CHARACTERS} characters`);
  const unset = new Set<string>();
  let value: unknown;
  try {
    const schema = variables === undefined ? PLAIN_SCHEMA : schemaWith(variables, unset);
    value = load(text, { schema, maxDepth: MAX_DEPTH, maxAliases: MAX_ALIASES });
  } catch (error) {
    return refused([describeSyntaxError(error, text)]);
  }
  if (unset.size > 0) return refused(unsetVariables(text, unset, variables === NO_VARIABLES));
  if (typeof value !== "object" || value === null || Array.isArray(value))
    return refusal("the document has to be a mapping with keys such as listeners and routes", 1);
  const excess = findExcess(value as Json);
  return excess === undefined ? checked(value as JsonObject) : refusal(excess);
}

const PLAIN_SCHEMA = CORE_SCHEMA.withTags(mergeTag);

function schemaWith(variables: Variables, unset: Set<string>): Schema {
  const text = defineScalarTag(strTag.tagName, {
    resolve: (source) => replaceVariables(source, variables, unset),
    identify: strTag.identify,
  });
  const plain = defineScalarTag("!variable", {
    implicit: true,
    resolve(source) {
      if (!source.includes("${")) return NOT_RESOLVED;
      const replaced = replaceVariables(source, variables, unset);
      return replaced === source ? NOT_RESOLVED : plainScalar(replaced);
    },
    identify: () => false,
  });
  return PLAIN_SCHEMA.withTags(text, plain);
}

function plainScalar(text: string): Json {
  if (text === "true" || text === "false") return text === "true";
  return /^-?(?:0|[1-9]\d*)(?:\.\d+)?$/.test(text) ? Number(text) : text;
}

function unsetVariables(text: string, unset: ReadonlySet<string>, isFromElsewhere: boolean): Problem[] {
  const message = isFromElsewhere ? noVariableMessage : unsetMessage;
  const problems: Problem[] = [];
  for (const { path, line, scalar } of sourcePlaces(text))
    for (const name of variableNames(scalar ?? ""))
      if (unset.has(name)) problems.push({ path, line, message: message(name) });
  // A variable in a key has no place of its own.
  return problems.length > 0 ? problems : [...unset].map((name) => ({ path: "", message: message(name) }));
}

function noVariableMessage(name: string): string {
  return `$\{${name}} has a value only in a file that a node reads itself; write the value, the reference $\{env:${name}} that each node resolves, or $$\{${name}} for the text itself`;
}

function unsetMessage(name: string): string {
  return `the environment variable ${name} is not set; set it, or write $\${${name}} for the text itself`;
}

/** What makes a value too much to be a configuration: its depth (or that it contains itself) or its size. */
function findExcess(root: Json): string | undefined {
  let values = 0;
  const visit = (value: Json, depth: number): string | undefined => {
    values += 1;
    if (values > MAX_VALUES) return `the document has more than ${MAX_VALUES} values, aliases expanded`;
    if (value === null || typeof value !== "object") return undefined;
    if (depth > MAX_DEPTH) return `the document is nested deeper than ${MAX_DEPTH} levels, or an alias contains itself`;
    for (const child of Object.values(value)) {
      const excess = visit(child, depth + 1);
      if (excess !== undefined) return excess;
    }
    return undefined;
  };
  return visit(root, 0);
}

function describeSyntaxError(error: unknown, text: string): Problem {
  if (!(error instanceof YAMLException)) return { path: "", message: "not YAML that can be read" };
  if (text.trim() === "" || error.mark === undefined)
    return { path: "", line: 1, message: `${error.reason}`.replace(/^expected a document.*/, "the document is empty") };
  // A secret without quotes may begin like an alias or a tag, which the reader would name.
  const reason = error.reason.replace(/ ".*"| !<.*>/gs, "");
  const line = error.mark.line + 1;
  if (error.reason === "duplicated mapping key")
    return { path: "", line, message: duplicateKey(text, error.mark.position) };
  const hint = text.split("\n", line)[line - 1]?.match(/[[{].*\$\{/)
    ? "; inside [...] and {...} a variable has to be in quotes"
    : "";
  return { path: "", line, message: `not valid YAML: ${reason}${hint}` };
}

function duplicateKey(text: string, position: number): string {
  const [key] = /^[^:\r\n]{1,128}/.exec(text.slice(position, position + 128)) ?? [];
  return key === undefined ? "a key is written twice in one mapping" : `the key ${key} is written twice in one mapping`;
}

function refusal(message: string, line?: number): Checked<never> {
  return refused([{ path: "", message, ...(line === undefined ? {} : { line }) }]);
}
