import { type Route, RouteSpec } from "../../src/config/resources/route.ts";
import { RequestParser } from "../../src/http/request-parser.ts";
import type { RoutedRequest } from "../../src/proxy/route/request-facts.ts";
import { SeededRandom } from "../simulation/seeded-random.ts";
import { type PlainRequest, referenceRoute, type Verdict } from "./reference-router.ts";

/** What is compared with the reference: a router, or one with a defect. */
export interface RoutingSubject {
  add(route: Route): void;
  remove(route: Route): void;
  find(request: RoutedRequest): Verdict;
}

export interface RoutingDifference {
  readonly request: PlainRequest;
  readonly expected: Verdict;
  readonly found: Verdict;
  readonly routes: readonly Route[];
}

/** Requests that one table answers before the next is made; before each a route may come, go or change. */
const REQUESTS_A_TABLE = 25;
const MAX_ROUTES = 16;

/**
 * Random tables and requests from one seed, of few words, so that routes overlap and requests nearly fit. A table is changed
 * in place between requests, as a live one is: each answer has to be that of the rules on what the table holds by then.
 */
export class RoutingCampaign {
  cases = 0;
  /** Requests that a route answered, and those that only lacked the method. */
  answered = 0;
  refusedMethods = 0;
  readonly #random: SeededRandom;
  readonly #makeSubject: () => RoutingSubject;
  #subject: RoutingSubject;
  #routes = new Map<string, Route>();

  constructor(seed: number, makeSubject: () => RoutingSubject) {
    this.#random = new SeededRandom(seed);
    this.#makeSubject = makeSubject;
    this.#subject = makeSubject();
  }

  /** Runs cases until `count` have run or one differs. */
  run(count: number): RoutingDifference | undefined {
    for (const end = this.cases + count; this.cases < end; this.cases++) {
      if (this.cases % REQUESTS_A_TABLE === 0) this.#newTable();
      else if (this.#random.chance(0.4)) this.#changeTable();
      const request = this.#request();
      const routes = [...this.#routes.values()];
      const expected = referenceRoute(routes, request);
      const found = this.#subject.find(parse(request));
      if (JSON.stringify(found) !== JSON.stringify(expected)) return { request, expected, found, routes };
      if (expected.route !== undefined) this.answered++;
      else if (expected.otherMethods.length > 0) this.refusedMethods++;
    }
    return undefined;
  }

  #newTable(): void {
    this.#subject = this.#makeSubject();
    this.#routes = new Map();
    for (let left = this.#random.below(2 * MAX_ROUTES); left > 0; left--) this.#changeTable();
  }

  #changeTable(): void {
    const id = `r${this.#random.below(MAX_ROUTES)}`;
    const before = this.#routes.get(id);
    if (before !== undefined) {
      this.#subject.remove(before);
      this.#routes.delete(id);
      if (this.#random.chance(0.5)) return;
    }
    const route = this.#route(id);
    this.#subject.add(route);
    this.#routes.set(id, route);
  }

  #route(id: string): Route {
    const isPrefix = this.#random.chance(0.4);
    const spec = RouteSpec.parse({
      path: this.#path(isPrefix ? ["a", "b", "{p}"] : ["a", "b", "{p}", "{q}", ""]),
      path_prefix: isPrefix,
      methods: this.#some(["GET", "POST", "PURGE"], 0.2),
      match: {
        domains: this.#some(["a.example", "B.A.example", "*.example", "*.a.example", "c"], 0.2),
        headers: this.#conditions(["x-a", "X-B"], ["1", "2", "1, 2"], ["^1", "2$", "[13]"]),
        query: this.#conditions(["q", "w"], ["1", "2 3", ""], ["^[0-9 ]+$", "^$"]),
        cookies: this.#conditions(["s", "t"], ["1", "2"], ["^(1|2)$", "x"]),
        ...(this.#random.chance(0.1) ? { path_regex: this.#one(["^/a", "b$", "^/[ab]+/", "(a|b)/(a|b)"]) } : {}),
      },
      backends: [{ url: "http://a" }],
    });
    return { ...spec, id, ...(this.#random.chance(0.7) ? { order: this.#random.below(4) } : {}) } as Route;
  }

  #conditions(names: readonly string[], values: readonly string[], patterns: readonly string[]): object[] {
    return this.#some(names, 0.12).map((name) => {
      if (this.#random.chance(0.5)) return { name, value: this.#one(values) };
      return this.#random.chance(0.5)
        ? { name, present: this.#random.chance(0.6) }
        : { name, regex: this.#one(patterns) };
    });
  }

  #request(): PlainRequest {
    return {
      method: this.#one(["GET", "GET", "POST", "DELETE", "PURGE", "TRACE"]),
      host: this.#one(["a.example", "b.a.example", "x.b.a.example", "z.example", "c", "example"]),
      path: this.#random.chance(0.7) ? this.#nearPath() : this.#path(["a", "b", "c", ""]),
      query: this.#pairs(["q", "w"], ["1", "2 3", "", "4"]),
      headers: this.#pairs(["x-a", "x-b"], ["1", "2", "3"]),
      cookies: this.#pairs(["s", "t"], ["1", "2", "x"]),
    };
  }

  /** A path that one of the routes answers, or one segment more. */
  #nearPath(): string {
    const { path } = this.#one([...this.#routes.values(), { path: "/a" }]);
    const asked = path.replace(/\{.\}/g, () => this.#one(["a", "b", "c"]));
    return this.#random.chance(0.2) ? `${asked === "/" ? "" : asked}/${this.#one(["a", "b", "c", ""])}` : asked;
  }

  #path(words: readonly string[]): string {
    const segments = Array.from({ length: 1 + this.#random.below(4) }, () => this.#one(words));
    return this.#random.chance(0.08) ? "/" : `/${segments.join("/")}`;
  }

  /** Some of the names, one of them perhaps twice. */
  #pairs(names: readonly string[], values: readonly string[]): (readonly [string, string])[] {
    const chosen = this.#some([...names, names[0]!], 0.3);
    return chosen.map((name) => [name, this.#one(values)] as const);
  }

  #some<Item>(items: readonly Item[], probability: number): Item[] {
    return items.filter(() => this.#random.chance(probability));
  }

  #one<Item>(items: readonly Item[]): Item {
    return items[this.#random.below(items.length)]!;
  }
}

/** The request as the gateway reads it from the wire. */
function parse({ method, host, path, query, headers, cookies }: PlainRequest): RequestParser {
  const search = query.map(([name, value]) => `${name}=${encodeURIComponent(value).replaceAll("%20", "+")}`).join("&");
  const lines = [
    `${method} ${path}${search === "" ? "" : `?${search}`} HTTP/1.1`,
    `Host: ${host}`,
    ...headers.map(([name, value]) => `${name}: ${value}`),
    ...(cookies.length === 0 ? [] : [`Cookie: ${cookies.map((pair) => pair.join("=")).join("; ")}`]),
  ];
  const octets = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`);
  const parser = new RequestParser();
  if (parser.feed(octets, 0, octets.length, 8_192) !== "complete") throw new Error(parser.refusal.reason);
  return parser;
}
