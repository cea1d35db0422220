import type { SrvRecord } from "node:dns";
import type { Target, Upstream } from "../../../config/resources/upstream.ts";
import type { PlannedTarget } from "./planned-target.ts";

/** What a name stands for: addresses, or records of services. */
export type Found = readonly string[] | readonly SrvRecord[];

/** Targets that one name may stand for; what is beyond them is left out, the same ones each time. */
const MAX_TARGETS = 256;

/** Whether the targets of the upstream are not all named by its configuration. */
export function discovers({ backends }: Pick<Upstream, "backends">): boolean {
  return backends.some(({ discover }) => discover !== undefined);
}

/** What is asked for a target that is to be discovered. */
export function nameOf({ url }: Pick<Target, "url">): string {
  return new URL(url).hostname;
}

/**
 * The targets that requests go to, each once. While nothing is known of a name it is a target itself if it stands for addresses, as
 * it would be without discovery, and none if it stands for services.
 */
export function discoveredTargets(
  backends: readonly Target[],
  found: (target: Target) => Found | undefined,
): PlannedTarget[] {
  const targets = new Map<string, PlannedTarget>();
  for (const [index, backend] of backends.entries())
    for (const target of targetsOf(backend, found(backend))) {
      const key = `${target.url} ${target.http2}`;
      if (!targets.has(key)) targets.set(key, { ...target, backend: index });
    }
  return [...targets.values()];
}

function targetsOf(backend: Target, found: Found | undefined): PlannedTarget[] {
  const { discover, ...target } = backend;
  if (discover === undefined || (discover === "addresses" && found === undefined)) return [target];
  if (discover === "addresses") return (found as readonly string[]).map((address) => atAddress(target, address));
  return ((found ?? []) as readonly SrvRecord[]).map((record) => ofService(target, record));
}

function atAddress(target: Target, address: string): PlannedTarget {
  const url = new URL(target.url);
  const authority = url.host;
  url.hostname = address.includes(":") ? `[${address}]` : address;
  return { ...target, url: written(url, target.url), authority };
}

function ofService(target: Target, { name, port, weight }: SrvRecord): PlannedTarget {
  const url = new URL(target.url);
  url.hostname = name;
  url.port = String(port);
  return { ...target, url: written(url, target.url), weight: target.weight * Math.max(1, weight) };
}

/** Without the slash that nobody wrote. */
function written(url: URL, before: string): string {
  return before.endsWith("/") ? url.href : url.href.replace(/\/$/, "");
}

/** The addresses in an order that does not depend on that of the answer. */
export function sortedAddresses(addresses: readonly string[]): readonly string[] {
  return [...new Set(addresses)].sort().slice(0, MAX_TARGETS);
}

/** The services that are to be used first (RFC 2782), in an order that does not depend on that of the answer. */
export function firstServices(records: readonly SrvRecord[]): readonly SrvRecord[] {
  const priority = Math.min(...records.map((record) => record.priority));
  return records
    .filter((record) => record.priority === priority && record.name !== "")
    .sort((a, b) => (a.name === b.name ? a.port - b.port : a.name < b.name ? -1 : 1))
    .slice(0, MAX_TARGETS);
}
