import { RequestFacts, type RoutedRequest } from "./request-facts.ts";
import { type RoutesOfPath, withoutRoute, withRoute } from "./route-bucket.ts";
import { isParameter, type RouteMatcher } from "./route-matcher.ts";
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
  /** Of the walk that is under way, from the longest. */
  readonly #prefixes: PathNode<Matcher>[] = [];

  add(route: Matcher): void {
    if (isLiteral(route)) {
      const path = literalPath(route);
      this.#literal.set(path, withRoute(this.#literal.get(path), route));
      return;
    }
    let node = this.#root;
    for (const segment of route.segments) node = node.grow(segment);
    node.add(route);
  }

  /** Takes out what was added: the same object. */
  remove(route: Matcher): void {
    if (isLiteral(route)) {
      const path = literalPath(route);
      const left = withoutRoute(this.#literal.get(path), route);
      if (left === undefined) this.#literal.delete(path);
      else this.#literal.set(path, left);
    } else this.#root.remove(route, 0);
  }

  /** Undefined when no route fits; if that is for the method only, `otherMethods` then holds those that would. */
  match(request: RoutedRequest, otherMethods: string[]): Matcher | undefined {
    const facts = this.#facts.of(request);
    const literal = this.#literal.size === 0 ? undefined : this.#literal.get(request.path)?.find(facts, otherMethods);
    if (literal !== undefined) return literal;
    if (this.#root.isLeaf) return this.#root.prefix?.find(facts, otherMethods);
    this.#prefixes.length = 0;
    const whole = this.#walk(this.#root, 0, otherMethods);
    if (whole !== undefined) return whole;
    for (const node of this.#prefixes) {
      const route = node.prefix!.find(facts, otherMethods);
      if (route !== undefined) return route;
    }
    return undefined;
  }

  /** The best route of the whole path, looking from the slash at `start` on. Gathers the prefixes that it comes by. */
  #walk(node: PathNode<Matcher>, start: number, otherMethods: string[]): Matcher | undefined {
    const { path } = this.#facts.request;
    if (node.prefix !== undefined) this.#gather(node);
    if (start >= path.length) return node.whole?.find(this.#facts, otherMethods);
    if (node.isLeaf) return undefined;
    const slash = path.indexOf("/", start + 1);
    const end = slash < 0 ? path.length : slash;
    const literal = node.literals?.get(path, start + 1, end);
    const found = literal === undefined ? undefined : this.#walk(literal, end, otherMethods);
    if (found !== undefined || node.parameter === undefined || end === start + 1) return found;
    return this.#walk(node.parameter, end, otherMethods);
  }

  #gather(node: PathNode<Matcher>): void {
    const prefixes = this.#prefixes;
    let at = prefixes.length;
    while (at > 0 && prefixes[at - 1]!.depth < node.depth) at--;
    if (at === prefixes.length) prefixes.push(node);
    else prefixes.splice(at, 0, node);
  }
}

function isLiteral({ isPrefix, hasParameters }: RouteMatcher): boolean {
  return !isPrefix && !hasParameters;
}

function literalPath({ segments }: RouteMatcher): string {
  return `/${segments.join("/")}`;
}

/** Where the segments of paths so far lead. */
class PathNode<Matcher extends RouteMatcher> {
  readonly depth: number;
  /** Routes whose path ends here. */
  whole: RoutesOfPath<Matcher> | undefined;
  /** Routes whose path ends here and which answer longer ones. */
  prefix: RoutesOfPath<Matcher> | undefined;
  parameter: PathNode<Matcher> | undefined;
  literals: StringTable<PathNode<Matcher>> | undefined;

  constructor(depth: number) {
    this.depth = depth;
  }

  get isLeaf(): boolean {
    return this.parameter === undefined && this.literals === undefined;
  }

  get isEmpty(): boolean {
    return this.isLeaf && this.whole === undefined && this.prefix === undefined;
  }

  /** The child of this segment, made when it is not there. */
  grow(segment: string): PathNode<Matcher> {
    const depth = this.depth + 1;
    if (isParameter(segment)) {
      this.parameter ??= new PathNode(depth);
      return this.parameter;
    }
    this.literals ??= new StringTable();
    const known = this.literals.get(segment);
    if (known !== undefined) return known;
    const child = new PathNode<Matcher>(depth);
    this.literals.set(segment, child);
    return child;
  }

  add(route: Matcher): void {
    if (route.isPrefix) this.prefix = withRoute(this.prefix, route);
    else this.whole = withRoute(this.whole, route);
  }

  /** Removes a route whose segments from `at` on lead on from here, and each node that this leaves empty. */
  remove(route: Matcher, at: number): void {
    const segment = route.segments[at];
    if (segment === undefined) this.#removeHere(route);
    else if (isParameter(segment)) {
      this.parameter?.remove(route, at + 1);
      if (this.parameter?.isEmpty) this.parameter = undefined;
    } else {
      const child = this.literals?.get(segment);
      child?.remove(route, at + 1);
      if (child?.isEmpty) this.literals?.delete(segment);
      if (this.literals?.size === 0) this.literals = undefined;
    }
  }

  #removeHere(route: Matcher): void {
    if (route.isPrefix) this.prefix = withoutRoute(this.prefix, route);
    else this.whole = withoutRoute(this.whole, route);
  }
}
