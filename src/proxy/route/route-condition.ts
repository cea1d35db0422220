import type { Condition, Match } from "../../config/resources/route-match.ts";
import { Pattern } from "../../core/pattern.ts";
import type { FactSource, RequestFacts } from "./request-facts.ts";

/** What a route asks of a header, a query parameter, a cookie or the path. */
export class RouteCondition {
  readonly source: FactSource;
  readonly name: string;
  /** What it has to be, where that is said. */
  readonly value: string | undefined;
  readonly #pattern: Pattern | undefined;
  readonly #present: boolean;

  constructor(source: FactSource, { name, value, present, regex }: Condition) {
    this.source = source;
    this.name = source === "header" ? name.toLowerCase() : name;
    this.value = value;
    this.#pattern = regex === undefined ? undefined : compile(regex);
    this.#present = present ?? true;
  }

  isMet(facts: RequestFacts): boolean {
    const actual = facts.value(this.source, this.name);
    if (this.value !== undefined) return actual === this.value;
    if (this.#pattern !== undefined) return actual !== undefined && this.#pattern.test(actual);
    return (actual !== undefined) === this.#present;
  }

  /** As a person reads it. A value is not named, since it may come from a secret. */
  get description(): string {
    const what = this.source === "path" ? "the path" : `the ${NOUNS[this.source]} ${this.name}`;
    if (this.value !== undefined) return `${what} has a certain value`;
    if (this.#pattern !== undefined) return `${this.#pattern.source} is found in ${what}`;
    return `${what} is ${this.#present ? "there" : "not there"}`;
  }
}

const NOUNS = { header: "header", query: "parameter", cookie: "cookie" } as const;

/** All that `match` asks for but for the host; the cheap questions first. */
export function conditionsOf({ headers, cookies, query, path_regex }: Match): readonly RouteCondition[] {
  return [
    ...headers.map((condition) => new RouteCondition("header", condition)),
    ...cookies.map((condition) => new RouteCondition("cookie", condition)),
    ...query.map((condition) => new RouteCondition("query", condition)),
    ...(path_regex === undefined ? [] : [new RouteCondition("path", { name: "", regex: path_regex })]),
  ];
}

function compile(text: string): Pattern {
  const pattern = Pattern.compile(text);
  if (typeof pattern === "string") throw new Error(`a pattern ${pattern}`); // Validation has refused it before.
  return pattern;
}
