import { uniqueIds } from "./checks/unique-ids.ts";
import { checkResources } from "./compile.ts";
import type { Json, JsonObject } from "./json.ts";
import type { Language } from "./language.ts";
import { unknownKey } from "./nearest-name.ts";
import { NODE_SCHEMA } from "./node-settings.ts";
import { type Checked, checked, type Problem, refused } from "./problem.ts";
import { joinPath } from "./problem-path.ts";
import { inCanonicalOrder, type Resource, resourceKey } from "./resource.ts";
import { rankRoutes } from "./route-order.ts";
import { checkShape } from "./shape.ts";
import { type LineLookup, lineLookup } from "./source-lines.ts";
import { type DocumentEntry, type SplitDocument, splitDocument } from "./split-document.ts";
import type { Variables } from "./variables.ts";
import { readYaml } from "./yaml.ts";

const MAX_PROBLEMS = 1_000;

/** A document that was read and found right, in shape and meaning. */
export interface ParsedDocument {
  /** Where the text came from, such as the name of a file. */
  readonly origin: string | undefined;
  /** What the document says about the gateway, in the order in which it is written. */
  readonly entries: readonly DocumentEntry[];
  /** What it says about the node that reads it, as written: no part of the configuration that is stored or sent. */
  readonly node: {
    readonly cluster?: Json;
    readonly admin?: Json;
    readonly workers?: Json;
    readonly extensions?: Json;
  };
  /** The line, from 1, of a path in the document. */
  readonly lineOf: LineLookup;
}

export interface ParseOptions {
  /** Values for `${NAME}`; left out, such text stays as it is. */
  readonly env?: Variables;
  readonly origin?: string;
}

/** Reads a YAML document. Every problem of shape and meaning is listed, each with its path and line, in line order. */
export function parseDocument(
  language: Language,
  text: string,
  { env, origin }: ParseOptions = {},
): Checked<ParsedDocument> {
  const root = readYaml(text, env);
  if (!root.ok) return root;
  return checkDocument(language, root.value, lineLookup(text), origin);
}

/** The document that a mapping holds, if everything in it is right. */
export function checkDocument(
  language: Language,
  root: JsonObject,
  lineOf: LineLookup,
  origin?: string,
): Checked<ParsedDocument> {
  const split = splitDocument(language, root);
  const { entries, node } = split;
  const problems = [...split.problems, ...checkNodeBlocks(node), ...checkEntries(language, split)];
  if (problems.length > 0) return refused(inLineOrder(problems, lineOf));
  return checked({ origin, entries, node, lineOf });
}

/** The document's resources in canonical order. Node blocks are not among them. */
export function toResources({ entries }: Pick<ParsedDocument, "entries">): Resource[] {
  return inCanonicalOrder(rankRoutes(entries.map(({ kind, id, spec }) => ({ kind, id, spec }))));
}

function checkNodeBlocks(node: ParsedDocument["node"]): readonly Problem[] {
  const shape = checkShape(NODE_SCHEMA, node);
  return shape.ok ? [] : shape.problems;
}

/** An entry whose id is missing or taken goes by its path meanwhile, so that all else about it is told too. */
function checkEntries(
  language: Language,
  { entries, nameless }: Pick<SplitDocument, "entries" | "nameless">,
): Problem[] {
  const problems = [...uniqueIds(entries), ...refuseRanks(language, [...entries, ...nameless])];
  const owners = new Map(entries.toReversed().map((entry) => [resourceKey(entry), entry]));
  const named = new Map<string, DocumentEntry>();
  for (const entry of [...entries, ...nameless]) {
    const id = owners.get(resourceKey(entry)) === entry ? entry.id : entry.path;
    named.set(resourceKey({ kind: entry.kind, id }), { ...entry, id });
  }
  for (const problem of checkResources(language, toResources({ entries: [...named.values()] }))) {
    const entry = named.get(`${problem.kind}:${problem.id}`);
    if (entry === undefined || (entry.id === entry.path && problem.path === "id")) continue;
    problems.push({ ...problem, path: joinPath(entry.path, problem.path) });
  }
  return problems;
}

/** `order` is ours: a person gives routes an order by writing them in it. */
function refuseRanks(language: Language, entries: readonly DocumentEntry[]): Problem[] {
  const known = Object.keys(language.sectionOf("route")?.spec.shape ?? {});
  return entries
    .filter(({ kind, spec }) => kind === "route" && Object.hasOwn(spec, "order"))
    .map(({ kind, id, path }) => ({
      kind,
      id,
      path: joinPath(path, "order"),
      message: unknownKey("order", known),
    }));
}

/** In the order of lines; one mistake made twenty thousand times is not told to the end. */
function inLineOrder(problems: readonly Problem[], lineOf: LineLookup): Problem[] {
  const located = problems.map((problem) => ({ ...problem, line: lineOf(problem.path) ?? 1 }));
  const ordered = located.sort((a, b) => a.line - b.line);
  const more = ordered.length - MAX_PROBLEMS;
  if (more <= 0) return ordered;
  return [...ordered.slice(0, MAX_PROBLEMS), { path: "", message: `${more} more problems are not listed` }];
}
