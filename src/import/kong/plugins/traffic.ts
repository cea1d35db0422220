import { z } from "zod";
import type { KongEntity } from "../kong-entity.ts";
import type { PluginReader } from "./plugin-reader.ts";

const DAY_HOURS = 24;
/** The periods that Kong counts in, shortest first, in hours of ours where a longer unit has none. */
const PERIODS = [
  { field: "second", period: "1s", seconds: 1 },
  { field: "minute", period: "1m", seconds: 60 },
  { field: "hour", period: "1h", seconds: 3_600 },
  { field: "day", period: `${DAY_HOURS}h`, seconds: 86_400 },
  { field: "month", period: `${30 * DAY_HOURS}h`, seconds: 30 * 86_400 },
  { field: "year", period: `${365 * DAY_HOURS}h`, seconds: 365 * 86_400 },
] as const;

export const rateLimiting: PluginReader = {
  defaults: { fault_tolerant: true, hide_client_headers: false, sync_rate: -1, error_code: 429, redis_timeout: 2_000 },
  read(config, tell) {
    const limits = PERIODS.flatMap(({ field, period, seconds }) => {
      const rate = config.read(field, z.number().positive(), 0);
      return rate > 0 ? [{ field, rate, period, seconds }] : [];
    });
    const [strictest, ...others] = limits.toSorted((a, b) => a.rate / a.seconds - b.rate / b.seconds);
    if (strictest === undefined) return { missing: "it has no limit" };
    const key = limitedBy(config);
    if (key === undefined) return { missing: `requests cannot be counted by ${config.fields.limit_by}` };
    const { rate, period, field } = strictest;
    if (others.length > 0)
      tell.approximated(
        `of its limits the one that lets the fewest through in the long run is kept, ${rate} a ${field}; others are not`,
      );
    if (!Number.isInteger(rate)) tell.approximated(`the limit ${rate} is cut to a whole number`);
    tell.approximated("the last period is counted at every moment, where Kong begins anew at each full one");
    if (config.read("policy", z.string(), "local") !== "local")
      tell.approximated("each node counts for itself, whatever the policy says");
    if (config.fields.limit_by === "credential") tell.approximated("all credentials of a consumer share its limit");
    const whole = Math.max(1, Math.floor(rate));
    return { blocks: { rate_limit: { rate: whole, period, key, algorithm: "sliding_window" } } };
  },
};

/** Undefined where there is nothing like it. */
function limitedBy(config: KongEntity): string | undefined {
  const header = config.read("header_name", z.string(), "");
  const by = config.read("limit_by", z.string(), "consumer");
  config.passOver("path");
  if (by === "consumer" || by === "credential") return "consumer";
  if (by === "ip") return "ip";
  if (by === "service") return "";
  return by === "header" && header !== "" ? `header:${header}` : undefined;
}

export const requestSizeLimiting: PluginReader = {
  defaults: { require_content_length: false },
  read(config) {
    const size = config.read("allowed_payload_size", z.int().min(1), 128);
    const units = { megabytes: 2 ** 20, kilobytes: 2 ** 10, bytes: 1 };
    const unit = config.read("size_unit", z.enum(["megabytes", "kilobytes", "bytes"]), "megabytes");
    return { blocks: {}, route: { max_body_size: size * units[unit] } };
  },
};

export const correlationId: PluginReader = {
  defaults: {},
  read(config, tell) {
    const header = config.read("header_name", z.string(), "Kong-Request-ID");
    if (config.read("generator", z.string(), "uuid#counter") !== "uuid")
      tell.approximated("an id is a UUID, whatever the generator says");
    const echo = config.read("echo_downstream", z.boolean(), false);
    if (header.toLowerCase() !== "x-request-id") return { blocks: { request_id: { header, echo } } };
    tell.approximated("nothing is needed for it: every request has X-Request-ID here");
    return { blocks: {} };
  },
};
