import type { Route } from "../../config/resources/route.ts";
import { normalisePath } from "../../http/request-target.ts";
import type { RequestFacts } from "./request-facts.ts";
import { conditionsOf, type RouteCondition } from "./route-condition.ts";

/**
 * What a route answers that lists no methods is all but TRACE, which shows a client the head as the upstream got it, with what
 * gateways on the way have put there (RFC 9110 §9.3.8). A route that lists TRACE answers it.
 */
const ORDINARY_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/**
 * Which requests a route answers, and which routes it stands before. Of a hundred thousand routes hardly one is in a cache of the processor,
 * and each line of it that a request looks at costs a tenth of a microsecond: what requests ask about stands first, and what most routes have
 * nothing of is one empty list for all.
 */
export class RouteMatcher {
  readonly conditions: readonly RouteCondition[];
  readonly methods: readonly string[];
  readonly isPrefix: boolean;
  readonly id: string;
  /** Of the path, without empty ones at the end of a prefix. */
  readonly segments: readonly string[];
  /** In small letters. */
  readonly domains: readonly string[];
  /** Among routes of one path and host the greater goes first. */
  readonly specificity: number;
  /** Among routes that are equally specific the smaller goes first; what has no rank goes last. */
  readonly rank: number;

  constructor(route: Route) {
    const { id, path_prefix, match, methods, order } = route;
    this.conditions = orNone(conditionsOf(match));
    this.methods = orNone(methods);
    this.isPrefix = path_prefix;
    this.id = id;
    this.segments = segmentsOf(route);
    this.domains = orNone([...new Set(match.domains.map((name) => name.toLowerCase()))]);
    this.specificity = 2 * this.conditions.length + (methods.length > 0 ? 1 : 0);
    this.rank = order ?? Number.POSITIVE_INFINITY;
  }

  get hasParameters(): boolean {
    return this.segments.some(isParameter);
  }

  /** Itself if it fits the request. If it does but for the method, its methods are left in `otherMethods`. */
  find(facts: RequestFacts, otherMethods: string[]): this | undefined {
    if (!this.meetsConditions(facts)) return undefined;
    if (this.answersMethod(facts.request.method)) return this;
    otherMethods.push(...this.answeredMethods);
    return undefined;
  }

  answersMethod(method: string): boolean {
    return this.methods.length === 0 ? method !== "TRACE" : this.methods.includes(method);
  }

  /** The methods to name to who came with another one. */
  get answeredMethods(): readonly string[] {
    return this.methods.length === 0 ? ORDINARY_METHODS : this.methods;
  }

  meetsConditions(facts: RequestFacts): boolean {
    for (const condition of this.conditions) if (!condition.isMet(facts)) return false;
    return true;
  }

  /** The order of routes of one path and host: the more specific first, then as in the document. Total. */
  goesBefore(other: RouteMatcher): boolean {
    if (this.specificity !== other.specificity) return this.specificity > other.specificity;
    return this.rank === other.rank ? this.id < other.id : this.rank < other.rank;
  }
}

const NONE: readonly never[] = [];

/** One list for the many that have nothing in it. */
export function orNone<Item>(list: readonly Item[]): readonly Item[] {
  return list.length === 0 ? NONE : list;
}

export function isParameter(segment: string): boolean {
  return segment.length > 2 && segment.startsWith("{") && segment.endsWith("}");
}

/** `/a/{b}` is `a` and `{b}`; the path of a prefix route may end with a slash and means the same. */
export function segmentsOf({ path, path_prefix }: Pick<Route, "path" | "path_prefix">): string[] {
  const segments = (normalisePath(path) ?? path).split("/").slice(1);
  while (path_prefix && segments.at(-1) === "") segments.pop();
  return segments;
}
