/**
 * How Kong chooses a route, as its documentation says (traditional router), written as a filter and a sort: each restricted
 * field must hold one of its values; among the routes that fit, the one wins that restricts more fields, then by plain
 * hosts only, more headers, a regular expression before a prefix, the greater `regex_priority`, the longer prefix.
 */
export interface KongRouteSketch {
  readonly name: string;
  readonly hosts?: readonly string[];
  readonly paths?: readonly string[];
  readonly methods?: readonly string[];
  readonly headers?: Readonly<Record<string, readonly string[]>>;
  readonly regex_priority?: number;
  readonly strip_path?: boolean;
}

export interface KongRequest {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** The routes that Kong may choose, more than one where nothing tells them apart, each with the path that goes upstream. */
export function kongChoices(
  routes: readonly KongRouteSketch[],
  request: KongRequest,
): { name: string; path: string }[] {
  const fitting = routes.flatMap((route) => fits(route, request));
  fitting.sort((a, b) => compare(a.rank, b.rank));
  return fitting.filter(({ rank }) => compare(rank, fitting[0]!.rank) === 0).map(({ name, path }) => ({ name, path }));
}

function fits(route: KongRouteSketch, request: KongRequest) {
  const { hosts = [], paths = [], methods = [], headers = {} } = route;
  const holds =
    (hosts.length === 0 || hosts.some((host) => hostFits(host, request.host))) &&
    (methods.length === 0 || methods.includes(request.method)) &&
    Object.entries(headers).every(([name, values]) => values.includes(request.headers[name] ?? ""));
  if (!holds) return [];
  const names = Object.keys(headers).length;
  const fields = [hosts.length, paths.length, methods.length, names].filter((length) => length > 0).length;
  const base = [fields, hosts.length > 0 && !hosts.some((host) => host.includes("*")) ? 1 : 0, names];
  if (paths.length === 0) return [{ name: route.name, path: request.path, rank: [...base, 0, 0, 0] }];
  return paths.flatMap((path) => {
    const matched = matchedPart(path, request.path);
    if (matched === undefined) return [];
    const rank = path.startsWith("~") ? [1, route.regex_priority ?? 0, 0] : [0, 0, path.length];
    const rest = (route.strip_path ?? true) ? request.path.slice(matched.length) : request.path;
    return [{ name: route.name, path: rest.startsWith("/") ? rest : `/${rest}`, rank: [...base, ...rank] }];
  });
}

function matchedPart(path: string, requested: string): string | undefined {
  if (!path.startsWith("~")) return requested.startsWith(path) ? path : undefined;
  return new RegExp(`^(?:${path.slice(1)})`).exec(requested)?.[0];
}

function hostFits(pattern: string, host: string): boolean {
  if (!pattern.startsWith("*.")) return pattern === host;
  return host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
}

/** Negative when `a` wins. */
function compare(a: readonly number[], b: readonly number[]): number {
  return a.reduce((found, part, place) => found || b[place]! - part, 0);
}
