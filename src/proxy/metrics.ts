import type { Labels, Meter } from "../core/ports.ts";
import { upperBoundMs } from "./latency-histogram.ts";
import type { SharedState } from "./shared-state.ts";
import type { WorkerSlot } from "./worker-slot.ts";

/** Upper bounds of the duration series, in seconds. */
const DURATION_BOUNDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30];
const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

/** Everything the proxy measures, read from the workers' shared memory when it is asked for. */
export function registerProxyMetrics(meter: Meter, state: SharedState, slots: readonly WorkerSlot[]): void {
  meter.observeCounter(
    { name: "runway_requests_total", help: "Requests answered, by class of status.", labels: ["status"] },
    () => STATUS_CLASSES.map((status) => [{ status }, state.sum(`status${status}`)]),
  );
  const total = (name: `runway_${string}`, help: string, read: () => number) =>
    meter.observeCounter({ name, help }, () => [[{}, read()]]);
  const now = (name: `runway_${string}`, help: string, read: () => number) =>
    meter.observeGauge({ name, help }, () => [[{}, read()]]);

  total("runway_request_failures_total", "Requests that the gateway itself answered with 5xx, or cut.", () =>
    state.sum("gatewayFailures"),
  );
  total("runway_clients_gone_total", "Requests whose client went away before the answer.", () =>
    state.sum("clientsGone"),
  );
  total("runway_connections_total", "Connections accepted.", () => state.sum("connectionsTotal"));
  total("runway_upstream_connections_total", "Connections opened to targets.", () =>
    state.sum("upstreamConnectionsTotal"),
  );
  now("runway_active_connections", "Client connections open now.", () => state.sum("activeConnections"));
  now("runway_active_requests", "Requests being served now.", () => state.sum("activeRequests"));
  now(
    "runway_event_loop_lag_seconds",
    "99th percentile of the delay of the slowest worker's event loop.",
    () => state.max("eventLoopLagP99Ms") / 1_000,
  );
  meter.observeCounter(
    { name: "runway_worker_restarts_total", help: "Replacements of crashed workers.", labels: ["worker"] },
    () => slots.map(({ id, restarts }) => [{ worker: String(id) }, restarts]),
  );
  registerDurations(meter, state);
}

/** The three series of a histogram, by their usual names. */
function registerDurations(meter: Meter, state: SharedState): void {
  const help = "Time from the head of a request to the end of its answer, in seconds.";
  meter.observeCounter({ name: "runway_request_duration_seconds_bucket", help, labels: ["le"] }, () =>
    cumulative(state.latencies()),
  );
  meter.observeCounter({ name: "runway_request_duration_seconds_sum", help }, () => [
    [{}, state.sum("durationSumMs") / 1_000],
  ]);
  meter.observeCounter({ name: "runway_request_duration_seconds_count", help }, () => [
    [{}, state.latencies().reduce((sum, count) => sum + count, 0)],
  ]);
}

function cumulative(counts: Float64Array): [Labels, number][] {
  const series = DURATION_BOUNDS.map((bound): [Labels, number] => {
    const below = counts.reduce((sum, count, bucket) => (upperBoundMs(bucket) <= bound * 1_000 ? sum + count : sum), 0);
    return [{ le: String(bound) }, below];
  });
  return [...series, [{ le: "+Inf" }, counts.reduce((sum, count) => sum + count, 0)]];
}
