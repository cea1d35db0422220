import { z } from "zod";
import {
  createContextKey,
  definePlugin,
  duration,
  type NumbersEntry,
  type RequestContext,
  refuse,
  requestValue,
} from "../../sdk/index.ts";
import { type Ruling, slidingWindow, tokenBucket } from "./limiter.ts";
import { networkOf } from "./network-of.ts";
import { timeOfDayBy } from "./time-of-day.ts";

const ALGORITHMS = { token_bucket: tokenBucket, sliding_window: slidingWindow };
const KEY = /^(?:|ip|consumer|(?:header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/;

const ruled = createContextKey<Ruling | undefined>("rate_limit", undefined);

/** How many requests may come. The limit is one for the node, whatever the number of its workers. */
export const rateLimit = definePlugin({
  name: "rate_limit",
  scopes: ["gateway", "route", "upstream", "consumer"],
  config: z
    .strictObject({
      rate: z.int().min(1).max(1_000_000_000).describe("Requests that may come in a period."),
      period: duration
        .refine((ms) => ms >= 1, "must be at least 1ms")
        .prefault("1m")
        .describe("The period that `rate` is about."),
      burst: z
        .int()
        .min(0)
        .default(0)
        .describe("Requests that may come at once, for token_bucket; 0 means as many as `rate`."),
      key: z
        .string()
        .regex(KEY, "must be ip, consumer, header:NAME, cookie:NAME or empty")
        .default("")
        .describe(
          "Who has a limit of its own: each ip, consumer, value of header:NAME or of cookie:NAME; where a request has none, its address. Empty means that all requests share one.",
        ),
      ipv6_prefix_length: z
        .int()
        .min(1)
        .max(128)
        .default(64)
        .describe("Bits by which addresses of IPv6 are told apart: whoever has one mostly has a whole network."),
      algorithm: z
        .enum(["token_bucket", "sliding_window"])
        .default("token_bucket")
        .describe(
          "token_bucket lets bursts through and then goes on evenly; sliding_window counts what came in the last period.",
        ),
    })
    .describe("How many requests may come; more get 429. A block at the top is one limit for all routes together."),
  create(config, host) {
    const { rate, period: periodMs, key, ipv6_prefix_length } = config;
    const limit = { rate, periodMs, burst: config.burst === 0 ? rate : config.burst };
    const rule = ALGORITHMS[config.algorithm];
    const shown = String(config.algorithm === "token_bucket" ? limit.burst : rate);
    const step = (entry: NumbersEntry, nowMs: number) => {
      if (entry.isShared) host.count("crowded");
      return rule(limit, entry, nowMs);
    };
    const timeOfDay = timeOfDayBy(host.clock);
    const counted = `${config.algorithm} ${host.place} `;
    const all = host.shared.under(counted);
    // Keys say what they are of, so that nobody takes the place of another by sending its address in a header.
    const byAddress = host.shared.under(`${counted}ip `);
    const byValue = host.shared.under(`${counted}${key} `);
    const whoIs = requestValue(key);
    const ruleOf = (request: RequestContext) => {
      if (key === "") return all.update("", step);
      const value = whoIs(request);
      if (value !== undefined) return byValue.update(value, step);
      return byAddress.update(networkOf(request.client, ipv6_prefix_length), step);
    };
    return {
      onRequest(request) {
        const ruling = ruleOf(request);
        request.set(ruled, ruling);
        if (ruling.isWithin) return undefined;
        host.count("limited");
        return refuse("rateLimited", { headers: { "Retry-After": String(Math.ceil(ruling.resetMs / 1_000)) } });
      },
      onResponse(request, { headers }) {
        const ruling = request.get(ruled);
        if (ruling === undefined) return;
        headers.set("X-RateLimit-Limit", shown);
        headers.set("X-RateLimit-Remaining", String(ruling.remaining));
        headers.set("X-RateLimit-Reset", String(Math.ceil((timeOfDay(ruling.nowMs) + ruling.resetMs) / 1_000)));
      },
    };
  },
});
