import type { Route } from "../../config/resources/route.ts";
import { RequestParser } from "../../http/request-parser.ts";
import { RequestFacts } from "./request-facts.ts";
import { isParameter, RouteMatcher } from "./route-matcher.ts";
import { Router } from "./router.ts";

/** What a route lost by, the nearest to winning first. */
const LOSSES = ["order", "specificity", "method", "condition", "host", "path"] as const;
type RouteLoss = (typeof LOSSES)[number];

interface LostRoute {
  readonly id: string;
  readonly lostBy: RouteLoss;
  /** A sentence. Names what a condition looks at, never the value that it wants: that may be a secret. */
  readonly reason: string;
}

export interface RouteExplanation {
  /** The id of the route that answers; undefined when none does. */
  readonly route: string | undefined;
  /** Where only the method stands in the way: the methods that would be answered. */
  readonly allow: readonly string[];
  /** The others, the nearest to winning first, at most MAX_LISTED of them. */
  readonly others: readonly LostRoute[];
  /** How many more lost by what. */
  readonly unlisted: Readonly<Partial<Record<RouteLoss, number>>>;
}

/** A request as a person says it. */
export interface AskedRequest {
  readonly method: string;
  /** `https://host/path?query`, or `/path` for no host. */
  readonly url: string;
  /** `Name: value` */
  readonly headers: readonly string[];
}

const MAX_LISTED = 50;
const MAX_HEAD_BYTES = 65_536;
const CRLF = /[\r\n]/;

/**
 * Which of the routes answers a request, and what the others lack. The router itself decides among those that could, reading the request
 * with the parser of the gateway; what is said of the others comes from the same matchers. Costs time for every route: for a person who asks.
 * A text says why the gateway would refuse the request.
 */
export function explainRoute(routes: Iterable<Route>, asked: AskedRequest): RouteExplanation | string {
  const request = parse(asked);
  if (typeof request === "string") return request;
  const facts = new RequestFacts().of(request);
  const router = new Router<RouteMatcher>();
  const fitting: RouteMatcher[] = [];
  const lost = new Losses();
  for (const route of routes) {
    const matcher = new RouteMatcher(route);
    const loss = lossOf(matcher, facts);
    if (loss !== undefined) lost.add({ id: route.id, ...loss });
    if (loss === undefined || loss.lostBy === "method") router.add(matcher);
    if (loss === undefined) fitting.push(matcher);
  }
  const otherMethods: string[] = [];
  const winner = router.match(request, otherMethods);
  for (const matcher of fitting)
    if (winner !== undefined && matcher !== winner)
      lost.add({ id: matcher.id, ...lossAgainst(matcher, winner, facts.hostName) });
  const allow = winner === undefined ? [...new Set(otherMethods)] : [];
  return { route: winner?.id, allow, ...lost.listed() };
}

type Loss = Omit<LostRoute, "id">;

/** Why a route does not fit; undefined when it does. */
function lossOf(matcher: RouteMatcher, facts: RequestFacts): Loss | undefined {
  const { path, method } = facts.request;
  if (!fitsPath(matcher, path)) return { lostBy: "path", reason: `it answers ${pathOf(matcher)}` };
  if (matcher.domains.length > 0 && hostFit(matcher, facts.hostName) < 0)
    return { lostBy: "host", reason: `it answers ${matcher.domains.join(", ")}` };
  const unmet = matcher.conditions.find((condition) => !condition.isMet(facts));
  if (unmet !== undefined) return { lostBy: "condition", reason: `it asks that ${unmet.description}` };
  if (!matcher.answersMethod(method))
    return { lostBy: "method", reason: `it answers ${matcher.answeredMethods.join(", ")}` };
  return undefined;
}

/** Why a route that fits stands behind the one that won. */
function lossAgainst(matcher: RouteMatcher, winner: RouteMatcher, host: string): Loss {
  const bySpecificity = (reason: string): Loss => ({ lostBy: "specificity", reason });
  if (kindOf(matcher) !== kindOf(winner)) return bySpecificity(`${kindOf(winner)} goes before ${kindOf(matcher)}`);
  if (matcher.segments.length !== winner.segments.length) return bySpecificity("a longer prefix goes before it");
  if (shapeOf(matcher) !== shapeOf(winner))
    return bySpecificity("a path with a literal segment further left goes before it");
  if (hostFit(matcher, host) !== hostFit(winner, host))
    return bySpecificity("a route of a more specific host goes before it");
  if (matcher.conditions.length !== winner.conditions.length)
    return bySpecificity("a route with more conditions goes before it");
  if (matcher.specificity !== winner.specificity) return bySpecificity("a route that lists its methods goes before it");
  return { lostBy: "order", reason: "an equally specific route stands before it in the document" };
}

function fitsPath({ segments, isPrefix }: RouteMatcher, path: string): boolean {
  const asked = path.split("/").slice(1);
  if (isPrefix ? asked.length < segments.length : asked.length !== segments.length) return false;
  return segments.every((segment, index) => (isParameter(segment) ? asked[index] !== "" : segment === asked[index]));
}

/** How specifically a route names the host: -1 when it does not, 0 for every host, the length of a wildcard, infinity for the host itself. */
function hostFit({ domains }: RouteMatcher, host: string): number {
  if (domains.length === 0) return 0;
  const fits = domains.map((domain) => {
    if (domain === host) return Number.POSITIVE_INFINITY;
    return domain.startsWith("*") && host.length >= domain.length && host.endsWith(domain.slice(1))
      ? domain.length
      : -1;
  });
  return Math.max(...fits);
}

function kindOf({ isPrefix, hasParameters }: RouteMatcher): string {
  if (isPrefix) return "a prefix";
  return hasParameters ? "a path with parameters" : "an exact path";
}

/** Equal for routes whose literal and parameter segments are in the same places. */
function shapeOf({ segments }: RouteMatcher): string {
  return segments.map((segment) => (isParameter(segment) ? "{}" : "a")).join("/");
}

function pathOf({ segments, isPrefix }: RouteMatcher): string {
  return isPrefix ? `/${segments.join("/")} and what is below it` : `/${segments.join("/")}`;
}

/** The request as the gateway would read it, or why it would refuse it. */
function parse({ method, url, headers }: AskedRequest): RequestParser | string {
  const parts = /^(?:https?:\/\/([^/?#]*))?([^#]*)$/i.exec(url);
  if (parts === null || [method, url, ...headers].some((text) => CRLF.test(text)))
    return "the URL has no form that is asked for";
  const [, authority = "", target = ""] = parts;
  const named = headers.some((header) => /^host:/i.test(header));
  const head = [
    `${method} ${target.startsWith("/") ? target : `/${target}`} HTTP/1.1`,
    ...(named ? [] : [`Host: ${authority}`]),
    ...headers,
  ];
  const octets = Buffer.from(`${head.join("\r\n")}\r\n\r\n`, "latin1");
  const parser = new RequestParser();
  const state = parser.feed(octets, 0, octets.length, MAX_HEAD_BYTES);
  return state === "complete" ? parser : parser.refusal.reason;
}

/** Keeps the few that are nearest to winning, and counts the others. */
class Losses {
  readonly #kept = new Map<RouteLoss, LostRoute[]>(LOSSES.map((loss) => [loss, []]));
  readonly #counts = new Map<RouteLoss, number>();

  add(lost: LostRoute): void {
    const kept = this.#kept.get(lost.lostBy)!;
    if (kept.length < MAX_LISTED) kept.push(lost);
    this.#counts.set(lost.lostBy, (this.#counts.get(lost.lostBy) ?? 0) + 1);
  }

  listed(): Pick<RouteExplanation, "others" | "unlisted"> {
    const others = LOSSES.flatMap((loss) => this.#kept.get(loss)!).slice(0, MAX_LISTED);
    const unlisted = LOSSES.map((loss): [RouteLoss, number] => {
      const listed = others.filter(({ lostBy }) => lostBy === loss).length;
      return [loss, (this.#counts.get(loss) ?? 0) - listed];
    });
    return { others, unlisted: Object.fromEntries(unlisted.filter(([, count]) => count > 0)) };
  }
}
