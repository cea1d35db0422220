import type { FixedRateReport } from "../fixed-rate.ts";
import type { LoadReport } from "../wrk.ts";
import type { Observation } from "./workload.ts";

/** Of a closed loop. */
export function ofLoad({ requests, failures, requestsPerSecond, p50Ms, p99Ms }: LoadReport): Observation {
  return { requests, failures, figures: { requestsPerSecond, p50Ms, p99Ms } };
}

/** Of a closed loop with a body in each request or response; the megabytes go into the figures beside the requests. */
export function ofBytes(report: LoadReport, bodyBytes: number): Observation {
  return { ...ofLoad(report), bodyBytes };
}

/** Of an open loop. */
export function ofFixedRate({ requests, failures, ...report }: FixedRateReport): Observation {
  const { requestsPerSecond, p50Ms, p99Ms, maxMs, lagP99Ms } = report;
  return { requests, failures, figures: { requestsPerSecond, p50Ms, p99Ms, maxMs, lagP99Ms } };
}
