import type { AccessLogSettings } from "../../config/resources/access-log.ts";
import type { Route } from "../../config/resources/route.ts";
import { AccessLogPolicy } from "./access-log-policy.ts";
import { type HandlingParts, RouteHandling } from "./route-handling.ts";
import { segmentsOf } from "./route-matcher.ts";

/** Routes with so many wishes are rare, and a handling that is made twice is right too. */
const MAX_KNOWN = 1_024;

/** The handlings of a configuration, one for all routes that ask for the same. */
export class RouteHandlings {
  readonly #accessLog: AccessLogSettings;
  /** By what routes ask for, the last that was made. */
  readonly #known = new Map<string, RouteHandling>();

  /** @param accessLog what holds for routes that say nothing else */
  constructor(accessLog: AccessLogSettings) {
    this.#accessLog = accessLog;
  }

  of(route: Route, parts: HandlingParts): RouteHandling {
    const { upstream, timeout_policy, upgrades, max_body_size, access_log } = route;
    const stripped = route.strip_prefix ? segmentsOf(route).length : 0;
    const wishes = JSON.stringify([upstream, stripped, timeout_policy, upgrades, max_body_size, access_log]);
    const known = this.#known.get(wishes);
    if (known !== undefined && isMadeOf(known, parts)) return known;
    const handling = new RouteHandling(route, stripped, AccessLogPolicy.of(this.#accessLog, access_log), parts);
    if (this.#known.size === MAX_KNOWN) this.#known.clear();
    this.#known.set(wishes, handling);
    return handling;
  }
}

function isMadeOf(handling: RouteHandling, { place, pipeline, retry }: HandlingParts): boolean {
  return handling.place === place && handling.pipeline === pipeline && handling.retry === retry;
}
