import type { RequestFacts } from "./request-facts.ts";
import type { RouteCondition } from "./route-condition.ts";
import type { RouteMatcher } from "./route-matcher.ts";

/**
 * The routes of one path and host, in their order. A route that asks for one exact value is looked up by it, so that of a
 * hundred thousand routes that differ by a header a request meets the few that could be its own; the others are tried one
 * after another.
 */
export class RouteList<Matcher extends RouteMatcher> {
  /** Routes that ask for no exact value. */
  readonly #open: Matcher[] = [];
  /** By what they ask about and the value they want. */
  #byValue: Map<string, ValueTable<Matcher>> | undefined;

  get isEmpty(): boolean {
    return this.#open.length === 0 && this.#byValue === undefined;
  }

  add(route: Matcher): void {
    insert(this.#listFor(route), route);
  }

  remove(route: Matcher): void {
    const condition = exactCondition(route);
    const list = this.#listFor(route);
    const index = list.indexOf(route);
    if (index >= 0) list.splice(index, 1);
    if (condition === undefined || list.length > 0) return;
    const table = this.#byValue?.get(tableKey(condition));
    table?.routes.delete(condition.value!);
    if (table?.routes.size === 0) this.#byValue?.delete(tableKey(condition));
    if (this.#byValue?.size === 0) this.#byValue = undefined;
  }

  /** The first route that fits. Routes that fit but for the method leave their methods in `otherMethods`. */
  find(facts: RequestFacts, otherMethods: string[]): Matcher | undefined {
    if (this.#byValue === undefined) return firstThatFits(this.#open, facts, otherMethods);
    const lists = this.#open.length === 0 ? [] : [this.#open];
    for (const { condition, routes } of this.#byValue.values()) {
      const list = routes.get(facts.value(condition.source, condition.name) ?? NOTHING);
      if (list !== undefined) lists.push(list);
    }
    const firsts = lists.map((list) => firstThatFits(list, facts, otherMethods)).filter((route) => route !== undefined);
    return firsts.reduce<Matcher | undefined>(
      (first, route) => (first === undefined || route.goesBefore(first) ? route : first),
      undefined,
    );
  }

  #listFor(route: Matcher): Matcher[] {
    const condition = exactCondition(route);
    if (condition === undefined) return this.#open;
    this.#byValue ??= new Map();
    const table = this.#byValue.getOrInsertComputed(tableKey(condition), () => ({ condition, routes: new Map() }));
    return table.routes.getOrInsertComputed(condition.value!, () => []);
  }
}

/** Routes that ask about the same thing, by the value they want. */
interface ValueTable<Matcher> {
  readonly condition: RouteCondition;
  readonly routes: Map<string | typeof NOTHING, Matcher[]>;
}

/** No route wants it. */
const NOTHING = Symbol("nothing");

function exactCondition(route: RouteMatcher): RouteCondition | undefined {
  return route.conditions.find(({ value }) => value !== undefined);
}

function tableKey({ source, name }: RouteCondition): string {
  return `${source} ${name}`;
}

function firstThatFits<Matcher extends RouteMatcher>(
  routes: readonly Matcher[],
  facts: RequestFacts,
  otherMethods: string[],
): Matcher | undefined {
  for (const route of routes) {
    const found = route.find(facts, otherMethods);
    if (found !== undefined) return found;
  }
  return undefined;
}

function insert<Matcher extends RouteMatcher>(routes: Matcher[], route: Matcher): void {
  let low = 0;
  let high = routes.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (route.goesBefore(routes[middle]!)) high = middle;
    else low = middle + 1;
  }
  routes.splice(low, 0, route);
}
