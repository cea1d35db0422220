import { z } from "zod";
import { formatDuration, parseDuration } from "../core/duration.ts";
import { checkDocument, toResources } from "./document.ts";
import { isMapping, type Json, type JsonObject } from "./json.ts";
import type { Language } from "./language.ts";
import { isNeutral, isSwitchedOff, isUnasked, isZero } from "./original-defaults.ts";
import { type Checked, checked, type Problem, refused } from "./problem.ts";
import { formatPath, type PathSteps } from "./problem-path.ts";
import { documentOf, renderYaml } from "./render-document.ts";
import type { Resource } from "./resource.ts";
import { defaultOf, unwrap } from "./schema-tree.ts";
import { lineLookup } from "./source-lines.ts";
import { NODE_KEYS } from "./split-document.ts";
import { readYaml } from "./yaml.ts";

/*
 * The original runway speaks a dialect of the same document. It sends the whole of its settings with hundreds of keys that
 * say nothing: zeros, blocks that are switched off, its own defaults. Those are dropped. A key that we do not know and
 * that does ask for something refuses the document: to run without a rate limit or a login that its author relies on is
 * worse than to go on with the configuration before.
 */

/** The document as an original data plane reads it: no `${NAME}` is escaped, since it replaces none, and no days. */
export function renderOriginalYaml(resources: Iterable<Resource>): string {
  return renderYaml(withoutDays(documentOf(resources)) as JsonObject);
}

/** The resources of what an original control plane sends, or everything in it that cannot be run. */
export function readOriginalYaml(language: Language, text: string): Checked<Resource[]> {
  const root = readYaml(text);
  if (!root.ok) return root;
  const problems: Problem[] = [];
  const own = Object.entries(root.value).filter(([key]) => !(NODE_KEYS as readonly string[]).includes(key));
  const pruned = prune(language.document, Object.fromEntries(own), [], problems) as JsonObject;
  const lineOf = lineLookup(text);
  const document = checkDocument(language, pruned, lineOf);
  const refusals = problems.map((problem) => ({ ...problem, line: lineOf(problem.path) ?? 1 }));
  if (!document.ok) return refused([...refusals, ...document.problems]);
  return refusals.length > 0 ? refused(refusals) : checked(toResources(document.value));
}

/** The value without what says nothing. Known keys stay when they have a value; unknown ones that do are problems. */
function prune(schema: z.ZodType, value: Json, steps: PathSteps, problems: Problem[]): Json {
  const bare = unwrap(schema);
  if (bare instanceof z.ZodObject && isMapping(value)) return pruneMapping(bare, value, steps, problems);
  if (bare instanceof z.ZodArray && Array.isArray(value)) {
    const element = bare.def.element as z.ZodType;
    return value.map((item, position) => prune(element, item, [...steps, position], problems));
  }
  if (bare instanceof z.ZodRecord && isMapping(value)) {
    const element = bare.def.valueType as z.ZodType;
    const pruned = Object.entries(value).map(([key, item]) => [key, prune(element, item, [...steps, key], problems)]);
    return Object.fromEntries(pruned);
  }
  return steps[0] === "routes" && steps.length === 3 && steps[2] === "path" ? bracedParameters(value) : value;
}

function pruneMapping(schema: z.ZodObject, value: JsonObject, steps: PathSteps, problems: Problem[]): JsonObject {
  const pruned: Record<string, Json> = {};
  for (const [key, child] of Object.entries(value)) {
    const path = [...steps, key];
    const known = schema.shape[key] as z.ZodType | undefined;
    if (known === undefined) {
      if (!isNeutral(path, child)) problems.push({ path: formatPath(path), message: unsupported(key) });
      // A condition is "has to be absent" when `present` is false, and nobody has to log in when `required` is: there false says something.
    } else if (isMapping(child) && (key === "tls" ? child.enabled === false : isOn(known) && isOff(path, child))) {
      // What stands beside `enabled` would otherwise look as if somebody had forgotten to switch it on, or be on here.
    } else if (isUnasked(path, child)) {
      // Left out, so that it does not switch on what nobody asked for.
    } else if (!isZero(child) || ((key === "present" || key === "required") && child === false)) {
      pruned[key] = prune(known, child, path, problems);
    }
  }
  return pruned;
}

function isOff(steps: PathSteps, block: JsonObject): boolean {
  return isSwitchedOff(block) || isNeutral(steps, block);
}

/** A block that is on here unless it says otherwise, while the original's is off. */
function isOn(schema: z.ZodType): boolean {
  const block = unwrap(schema);
  const enabled = block instanceof z.ZodObject ? (block.shape.enabled as z.ZodType | undefined) : undefined;
  return enabled !== undefined && defaultOf(enabled) === true;
}

function unsupported(key: string): string {
  return `\`${key}\` is not supported by this data plane, and running without it could be unsafe`;
}

/** `/users/:id` is `/users/{id}` here. */
function bracedParameters(path: Json): Json {
  return typeof path === "string" ? path.replace(/(?<=\/):([A-Za-z_]\w*)(?=\/|$)/g, "{$1}") : path;
}

/** Durations of the original end at hours. */
function withoutDays(value: Json, key = ""): Json {
  if (typeof value === "string") {
    const ms = /(?:timeout|delay|request)$/.test(key) && value.includes("d") ? parseDuration(value) : undefined;
    return ms === undefined ? value : formatDuration(ms);
  }
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item: Json) => withoutDays(item));
  return Object.fromEntries(Object.entries(value).map(([name, child]) => [name, withoutDays(child, name)]));
}
