import { isMapping, type Json, type JsonObject } from "./json.ts";
import { unknownKey } from "./nearest-name.ts";
import type { Problem } from "./problem.ts";
import { formatPath } from "./problem-path.ts";
import type { Resource, ResourceKind } from "./resource.ts";
import { identifier } from "./resources/scalars.ts";
import { checkShape } from "./shape.ts";
import { SETTINGS_NAMES } from "./specification.ts";

/** A resource as it stands in a document. */
export interface DocumentEntry extends Resource {
  /** Where in the document: `routes[2]`, `upstreams.orders`, `logging`. */
  readonly path: string;
}

/** How each key at the top of a document holds its resources. The order is the one in which documents are written. */
const SECTIONS = {
  listeners: { kind: "listener", form: "list" },
  upstreams: { kind: "upstream", form: "mapping" },
  routes: { kind: "route", form: "list" },
} as const satisfies Record<string, { kind: ResourceKind; form: "list" | "mapping" }>;

/** Keys at the top that speak of the node which reads the document. */
export const NODE_KEYS = ["cluster", "admin", "workers"] as const;

const DOCUMENT_KEYS: readonly string[] = [...NODE_KEYS, ...Object.keys(SECTIONS), ...SETTINGS_NAMES];

export interface SplitDocument {
  readonly entries: DocumentEntry[];
  /** Items of lists whose id is missing or malformed; that is among the problems. */
  readonly nameless: DocumentEntry[];
  readonly node: { [Key in (typeof NODE_KEYS)[number]]?: Json };
  readonly problems: Problem[];
}

/** Takes a document apart into entries, not looking into their specs. A key without a value is as good as none. */
export function splitDocument(root: JsonObject): SplitDocument {
  const split: SplitDocument = { entries: [], nameless: [], node: {}, problems: [] };
  for (const [key, value] of Object.entries(root)) {
    if (value === null && DOCUMENT_KEYS.includes(key)) continue;
    if (isOneOf(key, NODE_KEYS)) split.node[key] = value;
    else if (isOneOf(key, SETTINGS_NAMES)) addEntry(split, "settings", key, value, key);
    else if (key === "listeners" || key === "routes") splitList(split, key, value);
    else if (key === "upstreams") splitMapping(split, key, value);
    else split.problems.push({ path: formatPath([key]), message: unknownKey(key, DOCUMENT_KEYS) });
  }
  return split;
}

function splitList(split: SplitDocument, key: "listeners" | "routes", value: Json): void {
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
    const entry = { kind: SECTIONS[key].kind, id: shape.ok ? shape.value : "", spec, path };
    (shape.ok ? split.entries : split.nameless).push(entry);
    if (!shape.ok) split.problems.push(...shape.problems.map(({ message }) => ({ path: `${path}.id`, message })));
  }
}

function splitMapping(split: SplitDocument, key: "upstreams", value: Json): void {
  if (!isMapping(value)) split.problems.push({ path: key, message: "must be a mapping from names to upstreams" });
  else
    for (const [id, spec] of Object.entries(value))
      addEntry(split, SECTIONS[key].kind, id, spec, formatPath([key, id]));
}

function addEntry(split: SplitDocument, kind: ResourceKind, id: string, spec: Json, path: string): void {
  if (isMapping(spec)) split.entries.push({ kind, id, spec, path });
  else split.problems.push({ path, message: "must be a mapping" });
}

function isOneOf<Name extends string>(name: string, names: readonly Name[]): name is Name {
  return (names as readonly string[]).includes(name);
}
