import type { Route } from "../../config/resources/route.ts";
import type { ResponseTimeouts } from "../../http/upstream-channel.ts";
import type { Pipeline } from "../plugin/pipeline.ts";
import type { CompiledUpstream } from "../upstream/compiled-upstream.ts";
import type { RetryPolicy } from "../upstream/resilience/retry-policy.ts";
import type { AccessLogPolicy } from "./access-log-policy.ts";
import { orNone, RouteMatcher } from "./route-matcher.ts";
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

/** A route as requests are matched against it and sent by it, and how long its upstream may take. Made anew when its settings change. */
export class CompiledRoute extends RouteMatcher implements ResponseTimeouts {
  /** Undefined where no plugin runs. */
  readonly pipeline: Pipeline | undefined;
  /** How long a response may take to begin, whoever is asked; 0 means any time, as for all of these. */
  readonly requestMs: number;
  readonly beginMs: number;
  readonly pauseMs: number;
  /** How long a target may take for all of its response. */
  readonly wholeMs: number;
  /** Protocols that requests may switch to, in lower case. */
  readonly upgrades: readonly string[];
  /** 0 means any size. */
  readonly maxBodyBytes: number;
  readonly slot: number;
  readonly accessLog: AccessLogPolicy | undefined;
  readonly retry: RetryPolicy | undefined;
  /** Segments that are taken off paths. */
  readonly #stripped: number;
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
    const { request, backend, header_timeout, idle } = route.timeout_policy;
    this.requestMs = request;
    this.beginMs = header_timeout || backend || request;
    this.pauseMs = idle;
    this.wholeMs = backend;
    this.upgrades = orNone(route.upgrades);
    this.accessLog = accessLog;
    this.maxBodyBytes = route.max_body_size;
    this.#stripped = route.strip_prefix ? this.segments.length : 0;
  }

  /** The one that stands there now; an attempt that has chosen its target goes on with it. */
  get upstream(): CompiledUpstream {
    return this.#place.upstream;
  }

  /** The path that is sent on for the request's. */
  rewrite(path: string): string {
    return this.#stripped === 0 ? path : behind(path, this.#stripped) || "/";
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
