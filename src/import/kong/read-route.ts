import { z } from "zod";
import type { ImportReport } from "../import-report.ts";
import type { KongEntity } from "./kong-entity.ts";
import { type PathPattern, readKongPath } from "./path-pattern.ts";
import type { RouteCase } from "./route-case.ts";

const MAX_HEADER_CASES = 64;
const HTTPS_ONLY =
  "it is for https only: clients without TLS are sent there; if a proxy before runway ends TLS, name it in trusted_proxies";
const Texts = z.array(z.string());

/** What Kong does with a route that says nothing of these. */
export const ROUTE_DEFAULTS = {
  path_handling: "v0",
  preserve_host: false,
  https_redirect_status_code: 426,
  request_buffering: true,
  response_buffering: true,
} as const;

/**
 * The cases in which a route takes a request. A condition that has no counterpart leaves out what depends on it, never the
 * condition alone: a route must not answer more than it did.
 */
export function readRoute(route: KongEntity, service: KongEntity, report: ImportReport): RouteCase[] {
  const leaveOut = (why: string): RouteCase[] => {
    report.leftOut(route.subject, why);
    return [];
  };
  if (route.read("expression", z.string(), "") !== "") return leaveOut("expressions have no counterpart");
  const protocols = route.read("protocols", Texts, ["http", "https"]);
  if (!protocols.some((protocol) => /^https?$/.test(protocol)))
    return leaveOut(`only HTTP is routed, not ${protocols.join(", ")}`);
  const needsTls = !protocols.includes("http");
  if (needsTls) report.approximated(route.subject, HTTPS_ONLY);
  const domains = readDomains(route, report);
  if (domains === undefined) return [];
  const headers = readHeaders(route, report);
  const methods = route.read("methods", Texts, []);
  const stripPath = route.read("strip_path", z.boolean(), true);
  return readPaths(route, report).flatMap(({ pattern, rank: pathRank }) =>
    headers.map((values) => ({
      route,
      service,
      path: pattern,
      domains,
      methods,
      headers: values,
      stripped: stripPath && hasPaths(route) ? pattern.segments.length : 0,
      needsTls,
      rank: [...fieldRank(route), ...pathRank],
    })),
  );
}

function hasPaths(route: KongEntity): boolean {
  return route.read("paths", Texts, []).length > 0;
}

/** How many fields restrict the route, whether by plain hosts alone, and by how many headers. */
function fieldRank(route: KongEntity): number[] {
  const hosts = route.read("hosts", Texts, []);
  const headers = Object.keys(route.read("headers", z.record(z.string(), z.unknown()), {})).length;
  const lengths = ["hosts", "paths", "methods", "snis"].map((field) => route.read(field, Texts, []).length);
  const fields = [...lengths, headers].filter((length) => length > 0).length;
  return [fields, hosts.length > 0 && !hosts.some((host) => host.includes("*")) ? 1 : 0, headers];
}

interface RankedPath {
  readonly pattern: PathPattern;
  /** Whether it is an expression, its priority, and the length of a plain path. */
  readonly rank: readonly number[];
}

function readPaths(route: KongEntity, report: ImportReport): RankedPath[] {
  const priority = route.read("regex_priority", z.number(), 0);
  const paths = route.read("paths", Texts, []);
  if (paths.length === 0) return [{ pattern: { segments: [], prefix: true }, rank: [0, 0, 0] }];
  return paths.flatMap((path) => {
    const read = readKongPath(path);
    if (!read.ok) report.leftOut(route.subject, read.why);
    if (!read.ok) return [];
    for (const difference of read.differences) report.approximated(route.subject, difference);
    return { pattern: read.pattern, rank: path.startsWith("~") ? [1, priority, 0] : [0, 0, path.length] };
  });
}

/** Undefined when the route is left out. */
function readDomains(route: KongEntity, report: ImportReport): readonly string[] | undefined {
  const hosts = route.read("hosts", Texts, []);
  const snis = route.read("snis", Texts, []).map((name) => name.replace(/\.$/, ""));
  if (hosts.some((host) => host.includes(":")))
    report.approximated(route.subject, "the port in a host is not looked at here");
  const names = hosts.map((host) => host.replace(/:\d+$/, ""));
  const known = names.filter((name) => !name.endsWith(".*"));
  for (const name of names.filter((name) => name.endsWith(".*")))
    report.leftOut(route.subject, `a wildcard at the end of a host, ${name}, has no counterpart`);
  if (hosts.length > 0 && known.length === 0) return undefined;
  if (snis.length === 0) return known;
  if (known.length > 0 && known.some((name) => !snis.includes(name))) {
    report.leftOut(route.subject, "conditions on the name in the TLS handshake (snis) have no counterpart");
    return undefined;
  }
  report.approximated(route.subject, "the name in the TLS handshake (snis) is compared with the Host of the request");
  return known.length > 0 ? known : snis;
}

/** Every combination of one value for each header. */
function readHeaders(route: KongEntity, report: ImportReport): ReadonlyMap<string, string>[] {
  const headers = route.read("headers", z.record(z.string(), Texts), {});
  let cases: ReadonlyMap<string, string>[] = [new Map()];
  for (const [name, values] of Object.entries(headers)) {
    const plain = values.filter((value) => !value.startsWith("~*"));
    if (plain.length < values.length) report.leftOut(route.subject, `an expression for the header ${name}`);
    cases = cases.flatMap((map) => plain.map((value) => new Map([...map, [name.toLowerCase(), value] as const])));
  }
  if (Object.keys(headers).length > 0)
    report.approximated(route.subject, "values of headers are compared exactly here, capitals included");
  if (cases.length <= MAX_HEADER_CASES) return cases;
  report.leftOut(route.subject, `more than ${MAX_HEADER_CASES} combinations of header values`);
  return [];
}
