import { isMapping, type Json, type JsonObject } from "./json.ts";
import type { PathSteps } from "./problem-path.ts";

/** What the original writes for a setting that nobody set. */
export function isZero(value: Json): boolean {
  if (value === null || value === "" || value === 0 || value === false || value === "0s") return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}

/** Whether a key that we do not know asks for nothing: zero, switched off, or a default of the original. */
export function isNeutral(steps: PathSteps, value: Json): boolean {
  if (isZero(value) || isHarmless(steps) || isDefault(steps, value)) return true;
  if (Array.isArray(value)) return value.every((item: Json, position) => isNeutral([...steps, position], item));
  if (!isMapping(value)) return false;
  if (isSwitchedOff(value)) return true;
  return Object.entries(value).every(([key, child]) => isNeutral([...steps, key], child));
}

/** A rate limit of the original works without `enabled` as soon as it has a rate. */
export function isSwitchedOff(block: JsonObject): boolean {
  return block.enabled === false && isZero(block.rate ?? null);
}

/** Settings about targets that the original always sends; with its defaults alone they ask for nothing. */
const TARGET_BLOCKS = new Set([
  "consistent_hash",
  "session_affinity",
  "health_check",
  "outlier_detection",
  "circuit_breaker",
  "request_queue",
  "retry_policy",
]);

/** Whether a block that we know is only there because the original always sends it. */
export function isUnasked(steps: PathSteps, value: Json): boolean {
  return TARGET_BLOCKS.has(String(steps.at(-1))) && isNeutral(steps, value);
}

/** How the original writes its own log, and how finely it divides its ring of hashes, changes nothing for a request. */
function isHarmless(steps: PathSteps): boolean {
  return steps[0] === "logging" || steps.slice(-2).join(".") === "consistent_hash.replicas";
}

/** Defaults of the original, by the end of a path; a block that has only these asks for nothing. */
const DEFAULTS: Readonly<Record<string, Json>> = {
  "transport.max_idle_conns": 512,
  "transport.expect_continue_timeout": "1s",
  "trusted_proxies.headers": ["X-Forwarded-For", "X-Real-IP"],
  "registry.type": "memory",
  "match.max_match_body_size": 1_048_576,
  "health_check.path": "/health",
  "health_check.method": "GET",
  "health_check.interval": "10s",
  "health_check.timeout": "5s",
  "health_check.healthy_after": 2,
  "health_check.unhealthy_after": 3,
  "health_check.expected_status": ["200-399"],
  "retry_policy.initial_backoff": "100ms",
  "retry_policy.max_backoff": "10s",
  "retry_policy.backoff_multiplier": 2,
  "retry_policy.retryable_statuses": [502, 503, 504],
  "retry_policy.retryable_methods": ["GET", "HEAD", "OPTIONS"],
  "budget.window": "10s",
};

function isDefault(steps: PathSteps, value: Json): boolean {
  const known = DEFAULTS[steps.slice(-2).join(".")];
  return known !== undefined && JSON.stringify(known) === JSON.stringify(value);
}
