import { isMapping, type Json, type JsonObject } from "./json.ts";
import type { Language } from "./language.ts";
import { unknownKey } from "./nearest-name.ts";
import type { Problem } from "./problem.ts";
import { formatPath } from "./problem-path.ts";
import type { Resource } from "./resource.ts";
import { identifier } from "./resources/scalars.ts";
import type { Section } from "./section.ts";
import { checkShape } from "./shape.ts";

/** A resource as it stands in a document. */
export interface DocumentEntry extends Resource {
  /** Where in the document: `routes[2]`, `upstreams.orders`, `logging`. */
  readonly path: string;
}

/** Keys at the top that speak of the node which reads the document. */
export const NODE_KEYS = ["cluster", "admin", "workers", "extensions"] as const;

export interface SplitDocument {
  readonly entries: DocumentEntry[];
  /** Items of lists whose id is missing or malformed; that is among the problems. */
  readonly nameless: DocumentEntry[];
  readonly node: { [Key in (typeof NODE_KEYS)[number]]?: Json };
  readonly problems: Problem[];
}

/** Takes a document apart into entries, not looking into their specs. A key without a value is as good as none. */
export function splitDocument(language: Language, root: JsonObject): SplitDocument {
  const split: SplitDocument = { entries: [], nameless: [], node: {}, problems: [] };
  const sections = new Map(language.sections.map((section) => [section.key, section]));
  const known = [...NODE_KEYS, ...sections.keys(), ...Object.keys(language.settings)];
  for (const [key, value] of Object.entries(root)) {
    const section = sections.get(key);
    if (value === null && known.includes(key)) continue;
    if (isNodeKey(key)) split.node[key] = value;
    else if (section !== undefined) splitSection(split, section, value);
    else if (known.includes(key)) addEntry(split, "settings", key, value, key);
    else split.problems.push({ path: formatPath([key]), message: unknownKey(key, known) });
  }
  return split;
}

function splitSection(split: SplitDocument, section: Section, value: Json): void {
  const { key, kind, form } = section;
  if (form === "list") splitList(split, section, value);
  else if (!isMapping(value)) split.problems.push({ path: key, message: `must be a mapping from names to ${key}` });
  else for (const [id, spec] of Object.entries(value)) addEntry(split, kind, id, spec, formatPath([key, id]));
}

function splitList(split: SplitDocument, { key, kind }: Section, value: Json): void {
  if (!Array.isArray(value)) {
    split.problems.push({ path: key, message: "must be a list, each item with an id" });
    return;
  }
  for (const [position, item] of (value as readonly Json[]).entries()) {
    const path = formatPath([key, position]);
    if (!isMapping(item)) {
      split.problems.push({ path, message: "must be a mapping with an id" });
      continue;
    }
    const { id, ...spec } = item;
    const shape = checkShape(identifier, id);
    const entry = { kind, id: shape.ok ? shape.value : "", spec, path };
    (shape.ok ? split.entries : split.nameless).push(entry);
    if (!shape.ok) split.problems.push(...shape.problems.map(({ message }) => ({ path: `${path}.id`, message })));
  }
}

function addEntry(split: SplitDocument, kind: string, id: string, spec: Json, path: string): void {
  if (isMapping(spec)) split.entries.push({ kind, id, spec, path });
  else split.problems.push({ path, message: "must be a mapping" });
}

function isNodeKey(key: string): key is (typeof NODE_KEYS)[number] {
  return (NODE_KEYS as readonly string[]).includes(key);
}
