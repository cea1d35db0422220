import type { Route } from "../../config/resources/route.ts";
import type { ResponseTimeouts } from "../../http/upstream-channel.ts";
import type { Pipeline } from "../plugin/pipeline.ts";
import type { RetryPolicy } from "../upstream/resilience/retry-policy.ts";
import type { AccessLogPolicy } from "./access-log-policy.ts";
import { orNone } from "./route-matcher.ts";
import type { UpstreamPlace } from "./route-table.ts";

/** What of the handling of a route is made elsewhere. */
export interface HandlingParts {
  readonly place: UpstreamPlace;
  /** Undefined where no plugin runs. */
  readonly pipeline: Pipeline | undefined;
  /** Undefined where each request is attempted once. */
  readonly retry: RetryPolicy | undefined;
}

/**
 * What is done with the requests of a route. Routes that ask for the same have it in common (route-handlings.ts), so that it is in a cache of
 * the processor where they are not.
 */
export class RouteHandling implements ResponseTimeouts {
  readonly place: UpstreamPlace;
  readonly pipeline: Pipeline | undefined;
  readonly retry: RetryPolicy | undefined;
  /** Undefined when nothing is logged. */
  readonly accessLog: AccessLogPolicy | undefined;
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
  /** Segments that are taken off paths. */
  readonly stripped: number;

  constructor(
    route: Route,
    stripped: number,
    accessLog: AccessLogPolicy | undefined,
    { place, pipeline, retry }: HandlingParts,
  ) {
    this.place = place;
    this.pipeline = pipeline;
    this.retry = retry;
    this.accessLog = accessLog;
    const { request, backend, header_timeout, idle } = route.timeout_policy;
    this.requestMs = request;
    this.beginMs = header_timeout || backend || request;
    this.pauseMs = idle;
    this.wholeMs = backend;
    this.upgrades = orNone(route.upgrades);
    this.maxBodyBytes = route.max_body_size;
    this.stripped = stripped;
  }
}
