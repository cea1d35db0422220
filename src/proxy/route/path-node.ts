import { type RoutesOfPath, withoutRoute, withRoute } from "./route-bucket.ts";
import { isParameter, RouteMatcher } from "./route-matcher.ts";
import { StringTable } from "./string-table.ts";

/**
 * What is behind a segment: a node, or the one route whose path ends there where there is nothing else, as with most. So what a request finds
 * in a table is its route.
 */
export type Beyond<Matcher extends RouteMatcher> = PathNode<Matcher> | Matcher;

/** Where the segments of paths so far lead. */
export class PathNode<Matcher extends RouteMatcher> {
  /** Segments that lead here. */
  readonly depth: number;
  /** Routes whose path ends here. */
  whole: RoutesOfPath<Matcher> | undefined;
  /** Routes whose path ends here and which answer longer ones. */
  prefix: RoutesOfPath<Matcher> | undefined;
  parameter: PathNode<Matcher> | undefined;
  literals: StringTable<Beyond<Matcher>> | undefined;

  constructor(depth: number) {
    this.depth = depth;
  }

  get isLeaf(): boolean {
    return this.parameter === undefined && this.literals === undefined;
  }

  get isEmpty(): boolean {
    return this.isLeaf && this.whole === undefined && this.prefix === undefined;
  }

  /** The one route that is here and beyond, where it answers any host. */
  get only(): Matcher | undefined {
    if (!this.isLeaf || (this.whole !== undefined && this.prefix !== undefined)) return undefined;
    const routes = this.whole ?? this.prefix;
    return routes instanceof RouteMatcher ? routes : undefined;
  }

  /** Adds a route whose path leads here, and maybe on. */
  add(route: Matcher): void {
    const segment = route.segments[this.depth];
    if (segment === undefined) {
      if (route.isPrefix) this.prefix = withRoute(this.prefix, route);
      else this.whole = withRoute(this.whole, route);
    } else if (isParameter(segment)) {
      this.parameter ??= new PathNode(this.depth + 1);
      this.parameter.add(route);
    } else {
      this.literals ??= new StringTable();
      this.literals.set(segment, this.#with(this.literals.get(segment), route));
    }
  }

  /** Removes a route that was added, and each node that this leaves empty. */
  remove(route: Matcher): void {
    const segment = route.segments[this.depth];
    if (segment === undefined) {
      if (route.isPrefix) this.prefix = withoutRoute(this.prefix, route);
      else this.whole = withoutRoute(this.whole, route);
    } else if (isParameter(segment)) {
      this.parameter?.remove(route);
      if (this.parameter?.isEmpty) this.parameter = undefined;
    } else {
      const left = without(this.literals?.get(segment), route);
      if (left === undefined) this.literals?.delete(segment);
      else this.literals?.set(segment, left);
      if (this.literals?.size === 0) this.literals = undefined;
    }
  }

  /** What is behind a segment from here, with one route more. */
  #with(beyond: Beyond<Matcher> | undefined, route: Matcher): Beyond<Matcher> {
    const depth = this.depth + 1;
    if (beyond === undefined && route.segments.length === depth && route.domains.length === 0) return route;
    const node = beyond instanceof PathNode ? beyond : new PathNode<Matcher>(depth);
    if (beyond !== undefined && beyond !== node) node.add(beyond as Matcher);
    node.add(route);
    return node;
  }
}

function without<Matcher extends RouteMatcher>(
  beyond: Beyond<Matcher> | undefined,
  route: Matcher,
): Beyond<Matcher> | undefined {
  if (!(beyond instanceof PathNode)) return beyond === route ? undefined : beyond;
  beyond.remove(route);
  return beyond.isEmpty ? undefined : (beyond.only ?? beyond);
}
