import type { CompiledRoute, RoutedRequest } from "./compiled-route.ts";
import { RouteBucket } from "./route-bucket.ts";

/**
 * Finds the route of a request. In this order, the first route that fits the request wins:
 *
 * 1. routes whose path is the request's path;
 * 2. routes whose path has parameters; where two fit, the one with a literal segment further to the left;
 * 3. prefix routes with the longest path, segment by segment; at the same length as in 2.
 *
 * Literal paths are found in one map. The others are a tree of segments that is walked once a request, literal child before
 * parameter. A tree has no more nodes than the routes have segments, and no walk visits a node twice. Among the routes of
 * one path `RouteBucket` decides.
 */
export class Router {
  readonly #literal = new Map<string, RouteBucket>();
  readonly #root = new PathNode(0);

  add(route: CompiledRoute): void {
    if (!route.isPrefix && !route.segments.some(isParameter)) {
      const path = `/${route.segments.join("/")}`;
      const bucket = this.#literal.get(path) ?? new RouteBucket();
      this.#literal.set(path, bucket);
      bucket.add(route);
      return;
    }
    let node = this.#root;
    for (const segment of route.segments) node = node.child(segment);
    node.add(route);
  }

  /** Undefined when no route fits; if that is for the method only, `otherMethods` then holds those that would. */
  match(request: RoutedRequest, otherMethods: string[]): CompiledRoute | undefined {
    const literal = this.#literal.get(request.path)?.find(request, otherMethods);
    if (literal !== undefined) return literal;
    if (this.#root.isLeaf) return this.#root.prefix?.find(request, otherMethods);
    const found: Found = { whole: [], prefixes: [] };
    collect(this.#root, request.path, 0, found);
    for (const bucket of found.whole) {
      const route = bucket.find(request, otherMethods);
      if (route !== undefined) return route;
    }
    for (const node of found.prefixes) {
      const route = node.prefix?.find(request, otherMethods);
      if (route !== undefined) return route;
    }
    return undefined;
  }
}

/** Where the segments of paths so far lead. */
class PathNode {
  readonly depth: number;
  /** Routes whose path ends here. */
  whole: RouteBucket | undefined;
  /** Routes whose path ends here and which answer longer ones. */
  prefix: RouteBucket | undefined;
  parameter: PathNode | undefined;
  readonly literals = new Map<string, PathNode>();

  constructor(depth: number) {
    this.depth = depth;
  }

  get isLeaf(): boolean {
    return this.parameter === undefined && this.literals.size === 0;
  }

  child(segment: string): PathNode {
    if (isParameter(segment)) {
      this.parameter ??= new PathNode(this.depth + 1);
      return this.parameter;
    }
    const node = this.literals.get(segment) ?? new PathNode(this.depth + 1);
    this.literals.set(segment, node);
    return node;
  }

  add(route: CompiledRoute): void {
    if (route.isPrefix) {
      this.prefix ??= new RouteBucket();
      this.prefix.add(route);
    } else {
      this.whole ??= new RouteBucket();
      this.whole.add(route);
    }
  }
}

interface Found {
  readonly whole: RouteBucket[];
  /** From the longest. */
  readonly prefixes: PathNode[];
}

/** Collects what fits `path` from the slash at `start` on. */
function collect(node: PathNode, path: string, start: number, found: Found): void {
  if (node.prefix !== undefined) insertByDepth(found.prefixes, node);
  if (start >= path.length) {
    if (node.whole !== undefined) found.whole.push(node.whole);
    return;
  }
  if (node.isLeaf) return;
  const slash = path.indexOf("/", start + 1);
  const end = slash < 0 ? path.length : slash;
  const segment = path.substring(start + 1, end);
  const literal = node.literals.get(segment);
  if (literal !== undefined) collect(literal, path, end, found);
  if (node.parameter !== undefined && segment !== "") collect(node.parameter, path, end, found);
}

function insertByDepth(nodes: PathNode[], node: PathNode): void {
  let at = nodes.length;
  while (at > 0 && nodes[at - 1]!.depth < node.depth) at--;
  nodes.splice(at, 0, node);
}

function isParameter(segment: string): boolean {
  return segment.length > 2 && segment.startsWith("{") && segment.endsWith("}");
}
