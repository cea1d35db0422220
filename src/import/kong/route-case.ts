import type { KongEntity } from "./kong-entity.ts";
import type { PathPattern } from "./path-pattern.ts";

/** One way in which a request can fit a Kong route, in the terms of our language: one path, one value a header. */
export interface RouteCase {
  readonly route: KongEntity;
  readonly service: KongEntity;
  readonly path: PathPattern;
  /** None means every host. */
  readonly domains: readonly string[];
  /** None means every method. */
  readonly methods: readonly string[];
  /** By name in lower case. */
  readonly headers: ReadonlyMap<string, string>;
  /** How many segments at the beginning are taken off before the request is sent on; 0 for none. */
  readonly stripped: number;
  /** Whether clients that come without TLS are not answered but told to come with it. */
  readonly needsTls: boolean;
  /** What Kong compares routes by, most important first; the greater wins. */
  readonly rank: readonly number[];
}

/** The case of those requests that fit both, handled as `winner` says; undefined when there are none. */
export function intersection(winner: RouteCase, other: RouteCase): RouteCase | undefined {
  const path = commonPath(winner.path, other.path);
  const domains = commonDomains(winner.domains, other.domains);
  const methods = commonMethods(winner.methods, other.methods);
  const headers = commonHeaders(winner.headers, other.headers);
  if (path === undefined || domains === undefined || methods === undefined || headers === undefined) return undefined;
  return { ...winner, path, domains, methods, headers };
}

export function isParameter(segment: string): boolean {
  return segment.startsWith("{");
}

function commonPath(a: PathPattern, b: PathPattern): PathPattern | undefined {
  const [longer, shorter] = a.segments.length >= b.segments.length ? [a, b] : [b, a];
  if (longer.segments.length > shorter.segments.length && !shorter.prefix) return undefined;
  const segments: string[] = [];
  for (const [position, segment] of longer.segments.entries()) {
    const counterpart = shorter.segments[position];
    if (counterpart === undefined || counterpart === segment || isParameter(counterpart)) segments.push(segment);
    else if (isParameter(segment)) segments.push(counterpart);
    else return undefined;
  }
  return { segments, prefix: a.prefix && b.prefix };
}

function commonDomains(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const common = a.flatMap((one) => b.flatMap((other) => narrower(one, other) ?? []));
  return common.length === 0 ? undefined : [...new Set(common)];
}

/** Of two host patterns the one whose hosts the other has too. */
function narrower(a: string, b: string): string | undefined {
  if (a === b || covers(b, a)) return a;
  return covers(a, b) ? b : undefined;
}

function covers(wildcard: string, host: string): boolean {
  return wildcard.startsWith("*.") && host.length > wildcard.length - 1 && host.endsWith(wildcard.slice(1));
}

function commonMethods(a: readonly string[], b: readonly string[]): readonly string[] | undefined {
  if (a.length === 0) return b;
  if (b.length === 0) return a;
  const common = a.filter((method) => b.includes(method));
  return common.length === 0 ? undefined : common;
}

function commonHeaders(
  a: ReadonlyMap<string, string>,
  b: ReadonlyMap<string, string>,
): ReadonlyMap<string, string> | undefined {
  for (const [name, value] of a) if (b.has(name) && b.get(name) !== value) return undefined;
  return new Map([...a, ...b]);
}
