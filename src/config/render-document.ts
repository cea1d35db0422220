import { dump } from "js-yaml";
import { isMapping, type Json, type JsonObject } from "./json.ts";
import { inCanonicalOrder, type Resource } from "./resource.ts";
import { SETTINGS } from "./resources/settings.ts";
import { inRouteOrder, routePathKey, withoutRank } from "./route-order.ts";
import { sectionKey } from "./section.ts";
import { escapeVariables } from "./variables.ts";

const WRITTEN_FIRST: readonly string[] = ["listener", "upstream", "route", "settings"];
const OWN_SETTINGS: readonly string[] = Object.keys(SETTINGS);

/** Resources that are written at a time: a few milliseconds. */
const SLICE = 256;

/** The YAML document of resources, without node blocks. Parsing it gives the same resources and the same hash. */
export function renderDocument(resources: Iterable<Resource>): string {
  return [...renderPieces(resources)].join("");
}

/** The same in pieces, for who has other things to do between them. */
export function* renderPieces(resources: Iterable<Resource>): Generator<string> {
  const entries = Object.entries(documentOf(resources));
  if (entries.length === 0) yield renderYaml({});
  for (const [key, value] of entries) {
    let isFirst = true;
    for (const slice of slicesOf(value)) {
      const text = renderYaml(escapeStrings({ [key]: slice }));
      yield isFirst ? text : text.slice(text.indexOf("\n") + 1); // The key stands there once.
      isFirst = false;
    }
  }
}

function* slicesOf(value: Json): Generator<Json> {
  const items = Array.isArray(value) ? value : isMapping(value) ? Object.entries(value) : [];
  if (items.length <= SLICE) yield value;
  else
    for (let at = 0; at < items.length; at += SLICE) {
      const slice = items.slice(at, at + SLICE);
      yield Array.isArray(value) ? slice : Object.fromEntries(slice as [string, Json][]);
    }
}

/** The document as a value: kinds in the order in which people write them, routes of one path in the order of their ranks. */
export function documentOf(resources: Iterable<Resource>): JsonObject {
  const ordered = inCanonicalOrder(resources);
  const ofKind = (kind: Resource["kind"]) => ordered.filter((resource) => resource.kind === kind);
  const document: Record<string, Json> = {};
  const listeners = ofKind("listener").map(({ id, spec }) => ({ id, ...spec }));
  const upstreams = ofKind("upstream").map(({ id, spec }) => [id, spec] as const);
  const routes = ofKind("route").map(({ id, spec }) => ({ id, spec, order: rankOf(spec) }));
  if (listeners.length > 0) document.listeners = listeners;
  if (upstreams.length > 0) document.upstreams = Object.fromEntries(upstreams);
  if (routes.length > 0)
    document.routes = inRouteOrder(routes, ({ spec }) => routePathKey(spec)).map(({ id, spec }) => ({
      id,
      ...withoutRank(spec),
    }));
  for (const { kind, id, spec } of ordered.filter(({ kind }) => !WRITTEN_FIRST.includes(kind)))
    document[sectionKey(kind)] = { ...(document[sectionKey(kind)] as JsonObject | undefined), [id]: spec };
  for (const { id, spec } of ofKind("settings").sort(asPeopleWrite)) document[id] = spec;
  return document;
}

/** Our own settings in their order, then the blocks of plugins. */
function asPeopleWrite({ id: a }: Resource, { id: b }: Resource): number {
  const rank = (name: string) => (OWN_SETTINGS.indexOf(name) + OWN_SETTINGS.length + 1) % (OWN_SETTINGS.length + 1);
  return rank(a) - rank(b);
}

export function renderYaml(value: JsonObject): string {
  return dump(value, { noRefs: true, lineWidth: -1 });
}

function rankOf({ order }: JsonObject): number | undefined {
  return typeof order === "number" ? order : undefined;
}

function escapeStrings<Value extends Json>(value: Value): Value;
function escapeStrings(value: Json): Json {
  if (typeof value === "string") return escapeVariables(value);
  if (value === null || typeof value !== "object") return value;
  if (Array.isArray(value)) return value.map((item) => escapeStrings(item as Json));
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, escapeStrings(child)]));
}
