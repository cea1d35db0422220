import type { Route } from "../../config/resources/route.ts";
import type { ResponseTimeouts } from "../../http/upstream-channel.ts";
import type { Pipeline } from "../plugin/pipeline.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { RetryPolicy } from "../upstream/resilience/retry-policy.ts";
import type { AccessLogPolicy } from "./access-log-policy.ts";
import { RouteMatcher } from "./route-matcher.ts";
import type { UpstreamPlace } from "./route-table.ts";

/** What is observed of a route. */
export interface Observation {
  /** Where it is counted, see route-slots.ts. */
  readonly slot: number;
  /** Undefined when nothing is logged. */
  readonly accessLog: AccessLogPolicy | undefined;
  /** Undefined where each request is attempted once. */
  readonly retry: RetryPolicy | undefined;
}

/** A route as requests are matched against it and sent by it. Made anew when its settings change. */
export class CompiledRoute extends RouteMatcher {
  /** Undefined where no plugin runs. */
  readonly pipeline: Pipeline | undefined;
  readonly timeouts: ResponseTimeouts;
  /** Protocols that requests may switch to, in lower case. */
  readonly upgrades: readonly string[];
  /** 0 means any size. */
  readonly maxBodyBytes: number;
  readonly slot: number;
  readonly accessLog: AccessLogPolicy | undefined;
  readonly retry: RetryPolicy | undefined;
  readonly #stripPrefix: boolean;
  readonly #place: UpstreamPlace;

  constructor(
    route: Route,
    place: UpstreamPlace,
    pipeline: Pipeline | undefined,
    { slot, accessLog, retry }: Observation,
  ) {
    super(route);
    this.#place = place;
    this.pipeline = pipeline;
    this.slot = slot;
    this.retry = retry;
    this.timeouts = { beginMs: route.timeout_policy.request, pauseMs: route.timeout_policy.idle };
    this.upgrades = route.upgrades;
    this.accessLog = accessLog;
    this.maxBodyBytes = route.max_body_size;
    this.#stripPrefix = route.strip_prefix;
  }

  /** The one that stands there now; an attempt that has chosen its target goes on with it. */
  get upstream(): CompiledUpstream {
    return this.#place.upstream;
  }

  /** The path that is sent on for the request's. */
  rewrite(path: string): string {
    return this.#stripPrefix ? this.rest(path) || "/" : path;
  }

  /** What of the path is behind the route's own; empty where nothing is. */
  rest(path: string): string {
    let at = 0;
    for (let count = this.segments.length; count > 0 && at >= 0; count--) at = path.indexOf("/", at + 1);
    return at < 0 ? "" : path.substring(at);
  }
}
