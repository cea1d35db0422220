import { type Beyond, PathNode } from "./path-node.ts";
import { RequestFacts, type RoutedRequest } from "./request-facts.ts";
import { type RoutesOfPath, withoutRoute, withRoute } from "./route-bucket.ts";
import type { RouteMatcher } from "./route-matcher.ts";
import { StringTable } from "./string-table.ts";

/**
 * Finds the route of a request. In this order, the first route that fits the request wins:
 *
 * 1. routes whose path is the request's path;
 * 2. routes whose path has parameters; where two fit, the one with a literal segment further to the left;
 * 3. prefix routes with the longest path, segment by segment; at the same length as in 2.
 *
 * Literal paths are found in one table. The others are a tree of segments that is walked once a request, literal child before
 * parameter. A tree has no more nodes than the routes have segments, and no walk visits a node twice. Among the routes of
 * one path `RouteBucket` decides by host, and `RouteList` by all else.
 *
 * A route is added and removed in place, at a cost that does not grow with the number of the others; what it leaves empty
 * goes with it.
 */
export class Router<Matcher extends RouteMatcher> {
  readonly #literal = new StringTable<RoutesOfPath<Matcher>>();
  readonly #root = new PathNode<Matcher>(0);
  readonly #facts = new RequestFacts();
  /** What the walk under way came by, the longest first, and how long each is: so many of them. */
  readonly #prefixes: RoutesOfPath<Matcher>[] = [];
  readonly #depths: number[] = [];
  #gathered = 0;

  add(route: Matcher): void {
    if (isLiteral(route)) {
      const path = literalPath(route);
      this.#literal.set(path, withRoute(this.#literal.get(path), route));
    } else this.#root.add(route);
  }

  /** Takes out what was added: the same object. */
  remove(route: Matcher): void {
    if (isLiteral(route)) {
      const path = literalPath(route);
      const left = withoutRoute(this.#literal.get(path), route);
      if (left === undefined) this.#literal.delete(path);
      else this.#literal.set(path, left);
    } else this.#root.remove(route);
  }

  /** Undefined when no route fits; if that is for the method only, `otherMethods` then holds those that would. */
  match(request: RoutedRequest, otherMethods: string[]): Matcher | undefined {
    const facts = this.#facts.of(request);
    const literal = this.#literal.size === 0 ? undefined : this.#literal.get(request.path)?.find(facts, otherMethods);
    if (literal !== undefined) return literal;
    if (this.#root.isLeaf) return this.#root.prefix?.find(facts, otherMethods);
    this.#gathered = 0;
    const whole = this.#walk(this.#root, 0, otherMethods);
    if (whole !== undefined) return whole;
    for (let index = 0; index < this.#gathered; index++) {
      const route = this.#prefixes[index]!.find(facts, otherMethods);
      if (route !== undefined) return route;
    }
    return undefined;
  }

  /** The best route of the whole path, looking from the slash at `start` on. Gathers the prefixes that it comes by. */
  #walk(node: PathNode<Matcher>, start: number, otherMethods: string[]): Matcher | undefined {
    const { path } = this.#facts.request;
    if (node.prefix !== undefined) this.#gather(node.prefix, node.depth);
    if (start >= path.length) return node.whole?.find(this.#facts, otherMethods);
    if (node.isLeaf) return undefined;
    const slash = path.indexOf("/", start + 1);
    const end = slash < 0 ? path.length : slash;
    const beyond = node.literals?.get(path, start + 1, end);
    const found = beyond === undefined ? undefined : this.#go(beyond, node.depth + 1, end, otherMethods);
    if (found !== undefined || node.parameter === undefined || end === start + 1) return found;
    return this.#walk(node.parameter, end, otherMethods);
  }

  #go(beyond: Beyond<Matcher>, depth: number, start: number, otherMethods: string[]): Matcher | undefined {
    if (beyond instanceof PathNode) return this.#walk(beyond, start, otherMethods);
    if (beyond.isPrefix) this.#gather(beyond, depth);
    else if (start === this.#facts.request.path.length) return beyond.find(this.#facts, otherMethods);
    return undefined;
  }

  #gather(prefix: RoutesOfPath<Matcher>, depth: number): void {
    const [prefixes, depths] = [this.#prefixes, this.#depths];
    let at = this.#gathered++;
    for (; at > 0 && depths[at - 1]! < depth; at--) {
      prefixes[at] = prefixes[at - 1]!;
      depths[at] = depths[at - 1]!;
    }
    prefixes[at] = prefix;
    depths[at] = depth;
  }
}

function isLiteral({ isPrefix, hasParameters }: RouteMatcher): boolean {
  return !isPrefix && !hasParameters;
}

function literalPath({ segments }: RouteMatcher): string {
  return `/${segments.join("/")}`;
}
