import type { Route } from "../../config/resources/route.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { RouteHandling } from "./route-handling.ts";
import { RouteMatcher } from "./route-matcher.ts";

/** A route as requests are matched against it, counted and handled. Made anew when its settings change. */
export class CompiledRoute extends RouteMatcher {
  /** Where it is counted, see route-slots.ts. */
  readonly slot: number;
  readonly handling: RouteHandling;

  constructor(route: Route, slot: number, handling: RouteHandling) {
    super(route);
    this.slot = slot;
    this.handling = handling;
  }

  /** The one that stands there now; an attempt that has chosen its target goes on with it. */
  get upstream(): CompiledUpstream {
    return this.handling.place.upstream;
  }

  /** The path that is sent on for the request's. */
  rewrite(path: string): string {
    const { stripped } = this.handling;
    return stripped === 0 ? path : behind(path, stripped) || "/";
  }

  /** What of the path is behind the route's own; empty where nothing is. */
  rest(path: string): string {
    return behind(path, this.segments.length);
  }
}

/** What of the path comes after so many segments. */
function behind(path: string, segments: number): string {
  let at = 0;
  for (let left = segments; left > 0 && at >= 0; left--) at = path.indexOf("/", at + 1);
  return at < 0 ? "" : path.substring(at);
}
