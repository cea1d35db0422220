import type { Json, JsonObject } from "./json.ts";
import type { Problem } from "./problem.ts";
import { formatPath, type PathSteps } from "./problem-path.ts";

/*
 * `${env:NAME}` and `${file:PATH}` stand for a secret. They are stored, shown and sent as they are, and become the secret
 * only on the node that runs the configuration. A reference is the whole of a value, never a part of one.
 */
const PATTERN = /^\$\{(env|file):([^}]+)\}$/;
const MAX_SECRET_CHARACTERS = 65_536;

/** Whether the whole text is a secret reference: `${env:NAME}` or `${file:PATH}`. */
export function isSecretReference(text: string): boolean {
  return PATTERN.test(text);
}

type ResolvedSecret = { readonly ok: true; readonly value: string } | { readonly ok: false; readonly message: string };

/** What a secret reference stands for on this node. Its messages name the reference and never a value. */
export type SecretResolver = (reference: string) => ResolvedSecret;

/** Resolves against an environment and files. A file's closing line breaks are not part of the secret. */
export function secretResolver(sources: {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly readFile: (path: string) => string;
}): SecretResolver {
  const lookUp = (scheme: string, name: string): string | undefined =>
    scheme === "env"
      ? Object.hasOwn(sources.env, name)
        ? sources.env[name]
        : undefined
      : readSecretFile(sources, name);
  return (reference) => {
    const [, scheme, name] = PATTERN.exec(reference) ?? [];
    if (scheme === undefined || name === undefined) return { ok: false, message: "is not a secret reference" };
    const value = lookUp(scheme, name);
    const missing =
      scheme === "env" ? `the environment variable ${name} is not set` : `the file ${name} cannot be read`;
    if (value === undefined) return { ok: false, message: `${missing} on this node` };
    if (value.length > MAX_SECRET_CHARACTERS)
      return { ok: false, message: `${reference} is longer than ${MAX_SECRET_CHARACTERS} characters` };
    if (isSecretReference(value))
      return { ok: false, message: `${reference} holds a reference itself; it has to be a value` };
    return { ok: true, value };
  };
}

function readSecretFile({ readFile }: { readFile: (path: string) => string }, path: string): string | undefined {
  try {
    return readFile(path).replace(/[\r\n]+$/, "");
  } catch {
    return undefined;
  }
}

/** The spec with every reference replaced. What cannot be resolved stays as it is and is a problem. */
export function resolveSecrets(
  spec: JsonObject,
  resolve: SecretResolver,
): { readonly spec: JsonObject; readonly problems: readonly Problem[] } {
  const problems: Problem[] = [];
  const replace = (value: Json, steps: PathSteps): Json => {
    if (typeof value === "string") {
      if (!isSecretReference(value)) return value;
      const secret = resolve(value);
      if (secret.ok) return secret.value;
      problems.push({ path: formatPath(steps), message: secret.message });
      return value;
    }
    if (value === null || typeof value !== "object") return value;
    if (Array.isArray(value)) return value.map((item, position) => replace(item, [...steps, position]));
    return replaceIn(value as JsonObject, steps);
  };
  const replaceIn = (value: JsonObject, steps: PathSteps): JsonObject =>
    Object.fromEntries(Object.entries(value).map(([key, child]) => [key, replace(child, [...steps, key])]));
  return { spec: replaceIn(spec, []), problems };
}
