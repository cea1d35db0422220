import { isMapping, type Json, type JsonObject } from "../../config/json.ts";
import type { KongPlugin } from "./kong-plugin.ts";

/*
 * Kong runs every plugin that is in force, and lets nobody in whom one of those that authenticate does not know; one that names an
 * `anonymous` consumer is content when another has found out who asks, or else takes the request for that consumer's. Here any
 * plugin that authenticates lets in. So one that insists, or several that do not, can be had; several that insist cannot.
 */

/** What the plugins in force come to in our language. */
export interface Composition {
  /** By the name of our plugin, with the level of the nearest plugin that has a part in it. */
  readonly blocks: ReadonlyMap<string, { readonly spec: JsonObject; readonly level: number }>;
  /** Settings of the routes themselves. */
  readonly route: JsonObject;
  /** Why somebody might get in who did not. */
  readonly missing: readonly string[];
}

/** Upstreams are told who asks as Kong does it, as far as it is known here, and never what a client claims about itself. */
export const IDENTITY: JsonObject = {
  request: {
    headers: {
      remove: ["X-Consumer-ID", "X-Consumer-Custom-ID", "X-Credential-Identifier", "X-Anonymous-Consumer"],
      set: { "X-Consumer-Username": "$consumer" },
    },
  },
};

/** @param isClosed whether nobody gets in as this anonymous consumer */
export function composePlugins(plugins: readonly KongPlugin[], isClosed: (anonymous: string) => boolean): Composition {
  const blocks = new Map<string, { readonly spec: JsonObject; readonly level: number }>();
  const add = (name: string, piece: JsonObject, level: number) => {
    const before = blocks.get(name) ?? { spec: {}, level };
    blocks.set(name, { spec: merge(before.spec, piece), level: Math.max(before.level, level) });
  };
  let route: JsonObject = {};
  for (const { reading, level, authenticates } of plugins) {
    if (authenticates) add("transform", IDENTITY, level);
    if ("missing" in reading) continue;
    for (const [name, piece] of Object.entries(reading.blocks)) add(name, piece, level);
    route = { ...route, ...reading.route };
  }
  const access = accessOf(plugins, isClosed);
  return { blocks, route: { ...route, ...access.route }, missing: access.missing };
}

function accessOf(plugins: readonly KongPlugin[], isClosed: (anonymous: string) => boolean) {
  const asking = plugins.filter(({ authenticates }) => authenticates);
  const insisting = asking.filter(({ anonymous }) => anonymous === undefined);
  const counting = insisting.length > 0 ? insisting : asking;
  const methods = counting.flatMap(({ reading }) => ("missing" in reading ? [] : Object.keys(reading.blocks)));
  const isOpen = insisting.length === 0 && !asking.some(({ anonymous = "" }) => isClosed(anonymous));
  const missing = plugins
    .filter((plugin) => plugin.isMissed && !(plugin.authenticates && plugin.anonymous !== undefined))
    .map(({ entity, reading }) => `${entity.subject}: ${"missing" in reading ? reading.missing : ""}`);
  if (insisting.length > 1)
    missing.push(`Kong asks for all of ${insisting.map(({ name }) => name).join(", ")}, of which one is enough here`);
  if (insisting.length === 0 && asking.length > 0 && methods.length === 0 && !isOpen)
    missing.push(`${asking.map(({ name }) => name).join(", ")}: there is no plugin like it here`);
  if (methods.length === 0) return { route: {}, missing };
  return { route: { auth: { ...(isOpen ? { required: false } : {}), methods } }, missing };
}

/** The second goes before, and lists are joined. */
export function merge(a: JsonObject, b: JsonObject): JsonObject {
  const result: Record<string, Json> = { ...a };
  for (const [key, value] of Object.entries(b)) {
    const before = a[key];
    if (isMapping(before) && isMapping(value)) result[key] = merge(before, value);
    else if (Array.isArray(before) && Array.isArray(value)) result[key] = [...new Set([...before, ...value])];
    else result[key] = value;
  }
  return result;
}
