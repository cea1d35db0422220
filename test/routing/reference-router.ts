import type { Route } from "../../src/config/resources/route.ts";
import type { Condition } from "../../src/config/resources/route-match.ts";

/** A request, said plainly: no text to parse, and nothing of it written in two ways. */
export interface PlainRequest {
  readonly method: string;
  /** A name in small letters, without a port. */
  readonly host: string;
  readonly path: string;
  readonly query: readonly (readonly [name: string, value: string])[];
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly cookies: readonly (readonly [name: string, value: string])[];
}

export interface Verdict {
  readonly route: string | undefined;
  /** Where only the method stands between the request and its routes: the methods they answer, sorted. */
  readonly otherMethods: readonly string[];
}

/** Named to who comes with TRACE, which only routes answer that list it. */
const EVERY_METHOD = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/** The rules of routing as a filter and a sort: nothing is looked up, nothing is kept. What the router is compared with. */
export function referenceRoute(routes: readonly Route[], request: PlainRequest): Verdict {
  const near = routes.filter(
    (route) => fitsPath(route, request.path) && hostRank(route, request.host) < NO_HOST && meetsAll(route, request),
  );
  const fitting = near.filter(({ methods }) =>
    methods.length === 0 ? request.method !== "TRACE" : methods.includes(request.method),
  );
  fitting.sort((a, b) => compare(sortKey(a, request), sortKey(b, request)));
  if (fitting[0] !== undefined) return { route: fitting[0].id, otherMethods: [] };
  return { route: undefined, otherMethods: [...new Set(near.flatMap(methodsOf))].sort() };
}

/** What comes first wins: compared from the left, the smaller first. */
function sortKey(route: Route, { host }: PlainRequest): (number | string)[] {
  const segments = segmentsOf(route);
  const conditions = conditionsOf(route).length;
  return [
    route.path_prefix ? 2 : segments.some(isParameter) ? 1 : 0,
    -segments.length,
    segments.map((segment) => (isParameter(segment) ? 1 : 0)).join(""),
    hostRank(route, host),
    -conditions,
    route.methods.length > 0 ? 0 : 1,
    route.order ?? Number.POSITIVE_INFINITY,
    route.id,
  ];
}

function compare(a: readonly (number | string)[], b: readonly (number | string)[]): number {
  for (const [index, part] of a.entries()) {
    const other = b[index]!;
    if (part !== other) return part < other ? -1 : 1;
  }
  return 0;
}

function fitsPath(route: Route, path: string): boolean {
  const own = segmentsOf(route);
  const asked = path.split("/").slice(1);
  if (route.path_prefix ? asked.length < own.length : asked.length !== own.length) return false;
  return own.every((segment, index) => (isParameter(segment) ? asked[index] !== "" : segment === asked[index]));
}

function segmentsOf({ path, path_prefix }: Route): string[] {
  const segments = path.split("/").slice(1);
  return path_prefix && segments.at(-1) === "" ? segments.slice(0, -1) : segments;
}

function isParameter(segment: string): boolean {
  return segment.startsWith("{");
}

const ANY_HOST = 1_000;
const NO_HOST = 2_000;

/** 0 for the exact host, then the longer the wildcard the smaller. */
function hostRank({ match }: Route, host: string): number {
  if (match.domains.length === 0) return ANY_HOST;
  const ranks = match.domains.map((written) => {
    const domain = written.toLowerCase();
    if (!domain.startsWith("*.")) return domain === host ? 0 : NO_HOST;
    return host.length >= domain.length && host.endsWith(domain.slice(1)) ? ANY_HOST - domain.length : NO_HOST;
  });
  return Math.min(...ranks);
}

function methodsOf({ methods }: Route): readonly string[] {
  return methods.length === 0 ? EVERY_METHOD : methods;
}

function conditionsOf({ match }: Route): readonly unknown[] {
  const { headers, query, cookies, path_regex } = match;
  return [...headers, ...query, ...cookies, ...(path_regex === undefined ? [] : [path_regex])];
}

function meetsAll({ match }: Route, { headers, query, cookies, path }: PlainRequest): boolean {
  const header = (name: string) => {
    const values = headers.filter(([other]) => other.toLowerCase() === name.toLowerCase()).map(([, value]) => value);
    return values.length === 0 ? undefined : values.join(", ");
  };
  const firstOf = (pairs: PlainRequest["query"], name: string) => pairs.find(([other]) => other === name)?.[1];
  return (
    match.headers.every((condition) => meets(condition, header(condition.name))) &&
    match.query.every((condition) => meets(condition, firstOf(query, condition.name))) &&
    match.cookies.every((condition) => meets(condition, firstOf(cookies, condition.name))) &&
    (match.path_regex === undefined || new RegExp(match.path_regex).test(path))
  );
}

function meets({ value, present, regex }: Condition, actual: string | undefined): boolean {
  if (value !== undefined) return actual === value;
  if (regex !== undefined) return actual !== undefined && new RegExp(regex).test(actual);
  return present === (actual !== undefined);
}
