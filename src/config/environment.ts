import type { Json } from "./json.ts";
import { nearestName } from "./nearest-name.ts";
import { NodeSettingsSpec } from "./node-settings.ts";
import type { Problem } from "./problem.ts";
import { formatPath } from "./problem-path.ts";
import { type SchemaLeaf, schemaLeaves } from "./schema-tree.ts";
import type { Variables } from "./variables.ts";

/*
 * Every setting of the node's own has an environment variable: RUNWAY_ and its path in capitals, joined by "_". The names
 * are read off the schema, so that a new setting has its variable from the start. A variable that is set to nothing
 * counts as not set, as compose files and unit files write it. Lists are separated by commas, labels are `key=value`.
 */

/** A setting that came from the environment. */
export interface EnvironmentSetting {
  readonly name: string;
  readonly steps: readonly string[];
  readonly value: Json;
}

const LEAVES: ReadonlyMap<string, SchemaLeaf> = new Map(
  Array.from(schemaLeaves(NodeSettingsSpec), (leaf) => [variableOf(leaf.steps), leaf]),
);

/** A variable whose name begins so is meant for us, and a name that we do not know is a mistake. */
const OURS = /^RUNWAY_(?:CLUSTER|ADMIN|LOGGING)_/;

/** `RUNWAY_ADMIN_PORT` for `admin.port`. */
export function variableOf(steps: readonly string[]): string {
  return `RUNWAY_${steps.join("_").toUpperCase()}`;
}

/** The settings that an environment holds, not yet validated, and the variables whose names mean nothing. */
export function readEnvironment(env: Variables): {
  readonly settings: readonly EnvironmentSetting[];
  readonly problems: readonly Problem[];
} {
  const settings: EnvironmentSetting[] = [];
  const problems: Problem[] = [];
  for (const [name, text] of Object.entries(env)) {
    const leaf = LEAVES.get(name);
    if (leaf === undefined && OURS.test(name)) problems.push({ path: "", message: unknownVariable(name) });
    if (leaf === undefined || text === undefined || text === "") continue;
    settings.push({ name, steps: leaf.steps, value: parseText(text, leaf.form) });
  }
  return { settings, problems };
}

/** Says of problems with settings from the environment which variable to change. */
export function nameVariables(problems: readonly Problem[], settings: readonly EnvironmentSetting[]): Problem[] {
  return problems.map((problem) => {
    const origin = settings.find(({ steps }) => isWithin(problem.path, formatPath(steps)));
    if (origin === undefined) return problem;
    return { ...problem, message: `${origin.name} in the environment: ${problem.message}` };
  });
}

function isWithin(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}.`) || path.startsWith(`${base}[`);
}

function unknownVariable(name: string): string {
  const nearest = nearestName(name, LEAVES.keys());
  return `the environment variable ${name} is no setting${nearest === undefined ? "" : `; did you mean ${nearest}?`}`;
}

/** What does not fit the form stays text, so that the schema says what is wrong with it. */
function parseText(text: string, form: SchemaLeaf["form"]): Json {
  const number = text.trim() === "" ? Number.NaN : Number(text);
  switch (form) {
    case "text":
      return text;
    case "number":
    case "number or text":
      return Number.isNaN(number) ? text : number;
    case "flag":
      return text === "true" || text === "false" ? text === "true" : text;
    case "list":
      return text.split(",").map((item) => item.trim());
    case "labels":
      return Object.fromEntries(text.split(",").map(toLabel));
  }
}

function toLabel(text: string): [string, string | null] {
  const [key, ...rest] = text.split("=");
  return [(key ?? "").trim(), rest.length === 0 ? null : rest.join("=").trim()];
}
