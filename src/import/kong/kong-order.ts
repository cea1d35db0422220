import { intersection, isParameter, type RouteCase } from "./route-case.ts";

/*
 * Kong and runway disagree about which of two fitting routes wins. Kong counts first how many fields a route restricts (a
 * route with hosts and a short path beats one with a long path), runway looks at the path first. Where runway would prefer a
 * case that Kong ranks lower, the requests that fit both are given a case of their own, which sends them where Kong would.
 * Such a case is at least as specific as either of the two in all that runway compares, and stands before them, so it wins;
 * and since it is a case like any other, pairs with it are looked at in turn.
 */

const MAX_CASES_FOR_EACH = 8;
const MIN_LIMIT = 1_000;
const EVERY_METHOD = "*";

export interface OrderedCases {
  /** In the order of a document, where the earlier of two equals wins. */
  readonly cases: readonly RouteCase[];
  /** How many of them were added. */
  readonly added: number;
  /** False when so many would have been needed that the rest was given up. */
  readonly complete: boolean;
}

/** The cases, with those added that make runway decide as Kong does. */
export function inKongOrder(given: readonly RouteCase[]): OrderedCases {
  const cases = given.toSorted(byRank);
  const known = new Set(cases.map(identity));
  const limit = Math.max(MIN_LIMIT, given.length * MAX_CASES_FOR_EACH);
  for (let next = 0; next < cases.length; next += 1) {
    for (let before = 0; before < next; before += 1) {
      const common = shared(cases[before]!, cases[next]!);
      if (common === undefined || known.has(identity(common))) continue;
      if (cases.length >= limit)
        return { cases: withoutShadowed(cases), added: cases.length - given.length, complete: false };
      known.add(identity(common));
      cases.push(common);
    }
  }
  return { cases: withoutShadowed(cases), added: cases.length - given.length, complete: true };
}

/** In order; of cases that differ by nothing but methods, the later ones lose those that an earlier one has. */
function withoutShadowed(cases: readonly RouteCase[]): RouteCase[] {
  const taken = new Map<string, Set<string>>();
  return cases.toSorted(byRank).flatMap((given) => {
    const before = taken.getOrInsertComputed(conditions(given), () => new Set());
    const wanted = given.methods.length === 0 ? [EVERY_METHOD] : given.methods;
    const free = wanted.filter((method) => !before.has(method));
    for (const method of free) before.add(method);
    if (free.length === 0) return [];
    return [{ ...given, methods: given.methods.length === 0 ? [] : free }];
  });
}

/** What has to be added for two cases; undefined when they agree or never meet. */
function shared(a: RouteCase, b: RouteCase): RouteCase | undefined {
  const order = compareRanks(a, b);
  if (order === 0 || (a.route === b.route && a.stripped === b.stripped)) return undefined;
  const [winner, loser] = order < 0 ? [a, b] : [b, a];
  const common = intersection(winner, loser);
  return common === undefined || isPreferred(winner, loser) ? undefined : common;
}

/** Whether runway is sure to prefer `a` for every request that fits both, given that `a` stands first in the document. */
function isPreferred(a: RouteCase, b: RouteCase): boolean {
  const path = comparePaths(a, b);
  if (path !== 0) return path < 0;
  const hosts = hostTier(a) - hostTier(b);
  if (Number.isNaN(hosts)) return false;
  if (hosts !== 0) return hosts < 0;
  if (a.headers.size !== b.headers.size) return a.headers.size > b.headers.size;
  return a.methods.length > 0 || b.methods.length === 0;
}

/** Negative when the path of `a` comes first: literal before parameters before the longest prefix. */
function comparePaths({ path: a }: RouteCase, { path: b }: RouteCase): number {
  const tier = pathTier(a) - pathTier(b);
  if (tier !== 0) return tier;
  if (a.prefix && a.segments.length !== b.segments.length) return b.segments.length - a.segments.length;
  const differing = a.segments.findIndex((segment, at) => isParameter(segment) !== isParameter(b.segments[at]!));
  return differing < 0 ? 0 : isParameter(a.segments[differing]!) ? 1 : -1;
}

function pathTier({ prefix, segments }: RouteCase["path"]): number {
  return prefix ? 2 : segments.some(isParameter) ? 1 : 0;
}

/** Exact hosts, then every host. Wildcards are compared by their length for each request: not a number. */
function hostTier({ domains }: RouteCase): number {
  if (domains.length === 0) return 1;
  return domains.some((domain) => domain.startsWith("*")) ? Number.NaN : 0;
}

function byRank(a: RouteCase, b: RouteCase): number {
  return compareRanks(a, b) || b.headers.size - a.headers.size || b.methods.length - a.methods.length;
}

/** Negative when Kong prefers `a`. */
function compareRanks(a: RouteCase, b: RouteCase): number {
  for (const [place, value] of a.rank.entries()) {
    const order = b.rank[place]! - value;
    if (order !== 0) return order;
  }
  return 0;
}

/** With the rank: the same requests may be sent the same way by a path of lower rank, which then loses to others. */
function identity(given: RouteCase): string {
  return JSON.stringify([given.rank, given.route.path, given.stripped, conditions(given), given.methods.toSorted()]);
}

/** Equal for cases that nothing but methods tells apart. */
function conditions({ path, domains, headers }: RouteCase): string {
  const segments = path.segments.map((segment) => (isParameter(segment) ? "{}" : segment));
  return JSON.stringify([segments, path.prefix, domains.toSorted(), [...headers].sort()]);
}
