import type { HistogramReading, Labels, Meter, MetricTable } from "../core/ports.ts";
import { CALL_STATUSES } from "./counters/call-statuses.ts";
import { DURATION_BOUNDS_SECONDS } from "./counters/duration-buckets.ts";
import type { RouteSeries } from "./counters/route-series.ts";
import type { Cell, RouteCell, RouteNumbers, SharedState } from "./counters/shared-state.ts";
import { PROXY_HEADER_CELLS } from "./listener/proxy-header.ts";
import type { EventTotals } from "./plugin/event-counts.ts";
import { HANDSHAKE_CELLS, HANDSHAKE_FAILURES } from "./tls/handshake-failure.ts";
import type { LineSink } from "./worker/line-sink.ts";
import type { WorkerSlot } from "./worker/worker-slot.ts";

export const PROXY_METRICS = {
  requests: {
    type: "counter",
    name: "runway_requests_total",
    help: "Requests answered, by route and class of status. Route _none: no route matched; _other: routes beyond the first 10,000 that were asked for.",
    labels: ["route", "status"],
  },
  requestDuration: {
    type: "histogram",
    name: "runway_request_duration_seconds",
    help: "Time from the head of a request to the end of its answer, by route.",
    labels: ["route"],
    buckets: DURATION_BOUNDS_SECONDS,
  },
  requestBytes: {
    type: "counter",
    name: "runway_request_bytes_total",
    help: "Bytes of request bodies received, by route.",
    labels: ["route"],
  },
  responseBytes: {
    type: "counter",
    name: "runway_response_bytes_total",
    help: "Bytes of response bodies sent, by route.",
    labels: ["route"],
  },
  upstreamDuration: {
    type: "histogram",
    name: "runway_upstream_response_seconds",
    help: "Time from the head of a request until the response of its target began, by route; its count is that of responses.",
    labels: ["route"],
    buckets: DURATION_BOUNDS_SECONDS,
  },
  upstreamFailures: {
    type: "counter",
    name: "runway_upstream_failures_total",
    help: "Requests that a target did not answer, or not to the end, by route.",
    labels: ["route"],
  },
  retries: {
    type: "counter",
    name: "runway_retries_total",
    help: "Attempts after the first of a request, by route.",
    labels: ["route"],
  },
  retriesRefused: {
    type: "counter",
    name: "runway_retries_refused_total",
    help: "Attempts that were not made since the retry budget was used up, by route.",
    labels: ["route"],
  },
  grpcCalls: {
    type: "counter",
    name: "runway_grpc_calls_total",
    help: "Calls of gRPC and gRPC-Web that are over, by route and status, those that the gateway failed and callers cancelled included. Status none: without one, or with one in a body of gRPC-Web that a target sends itself.",
    labels: ["route", "status"],
  },
  requestFailures: {
    type: "counter",
    name: "runway_request_failures_total",
    help: "Requests that the gateway itself answered with 5xx, or cut.",
  },
  clientsGone: {
    type: "counter",
    name: "runway_clients_gone_total",
    help: "Requests whose client went away before the answer.",
  },
  http2Floods: {
    type: "counter",
    name: "runway_http2_floods_total",
    help: "HTTP/2 connections closed since the client flooded them with resets, pings or settings.",
  },
  connections: { type: "counter", name: "runway_connections_total", help: "Connections accepted." },
  handshakeFailures: {
    type: "counter",
    name: "runway_tls_handshake_failures_total",
    help: "TLS handshakes with clients that failed, by reason.",
    labels: ["reason"],
  },
  connectionsRefused: {
    type: "counter",
    name: "runway_connections_refused_total",
    help: "Connections answered 503 because their listener had as many as it may have.",
  },
  proxyHeadersRefused: {
    type: "counter",
    name: "runway_proxy_headers_refused_total",
    help: "Connections closed because they did not begin with the PROXY header that their listener wants, by reason: missing, malformed, timeout.",
    labels: ["reason"],
  },
  upstreamConnections: {
    type: "counter",
    name: "runway_upstream_connections_total",
    help: "Connections opened to targets.",
  },
  activeConnections: { type: "gauge", name: "runway_active_connections", help: "Client connections open now." },
  activeRequests: { type: "gauge", name: "runway_active_requests", help: "Requests being served now." },
  activeTunnels: {
    type: "gauge",
    name: "runway_active_tunnels",
    help: "Upgraded connections, such as WebSockets, open now.",
  },
  eventLoopLag: {
    type: "gauge",
    name: "runway_event_loop_lag_seconds",
    help: "99th percentile of the delay of the slowest worker's event loop.",
  },
  requestsShed: {
    type: "counter",
    name: "runway_requests_shed_total",
    help: "New requests that were refused because the gateway was overloaded.",
  },
  overloaded: {
    type: "gauge",
    name: "runway_overloaded",
    help: "1 while new requests are refused, by what there is too little of: event_loop, memory.",
    labels: ["resource"],
  },
  accessLogDropped: {
    type: "counter",
    name: "runway_access_log_dropped_total",
    help: "Lines of the access log that were not written, because where they go is too slow or gone.",
  },
  pluginEvents: {
    type: "counter",
    name: "runway_plugin_events_total",
    help: "What plugins did, such as limited or refused, by plugin and by the place where it is configured.",
    labels: ["plugin", "place", "event"],
  },
  workerRestarts: {
    type: "counter",
    name: "runway_worker_restarts_total",
    help: "Replacements of crashed workers.",
    labels: ["worker"],
  },
} as const satisfies MetricTable;

const STATUS_CLASSES = ["1xx", "2xx", "3xx", "4xx", "5xx"] as const;

export interface ProxyMeasured {
  readonly state: SharedState;
  readonly series: RouteSeries;
  readonly workers: readonly WorkerSlot[];
  readonly accessLog: LineSink | undefined;
  readonly events: EventTotals;
}

/** Everything the proxy measures, read from the workers' shared memory when it is asked for. */
export function registerProxyMetrics(meter: Meter, { state, series, workers, accessLog, events }: ProxyMeasured): void {
  const total = (metric: keyof typeof PROXY_METRICS, cell: Cell) =>
    meter.observeCounter(PROXY_METRICS[metric], () => [[{}, state.sum(cell)]]);
  const now = (metric: keyof typeof PROXY_METRICS, read: () => number) =>
    meter.observeGauge(PROXY_METRICS[metric], () => [[{}, read()]]);
  registerRouteMetrics(meter, series);
  total("requestFailures", "gatewayFailures");
  total("clientsGone", "clientsGone");
  total("requestsShed", "requestsShed");
  meter.observeGauge(PROXY_METRICS.overloaded, () => [
    [{ resource: "event_loop" }, state.max("isLate")],
    [{ resource: "memory" }, state.max("isMemoryShort")],
  ]);
  total("http2Floods", "http2Floods");
  total("connections", "connectionsTotal");
  total("connectionsRefused", "connectionsRefused");
  total("upstreamConnections", "upstreamConnectionsTotal");
  now("activeConnections", () => state.sum("activeConnections"));
  now("activeRequests", () => state.sum("activeRequests"));
  now("activeTunnels", () => state.sum("activeTunnels"));
  now("eventLoopLag", () => state.max("eventLoopLagP99Ms") / 1_000);
  meter.observeCounter(PROXY_METRICS.accessLogDropped, () => [
    [{}, state.sum("accessLogDropped") + (accessLog?.dropped ?? 0)],
  ]);
  meter.observeCounter(PROXY_METRICS.pluginEvents, () =>
    Array.from(events.values(), ({ plugin, place, event, amount }) => [{ plugin, place, event }, amount] as const),
  );
  meter.observeCounter(PROXY_METRICS.workerRestarts, () =>
    workers.map(({ id, restarts }) => [{ worker: String(id) }, restarts]),
  );
  meter.observeCounter(PROXY_METRICS.proxyHeadersRefused, () =>
    Object.entries(PROXY_HEADER_CELLS).map(([reason, cell]) => [{ reason }, state.sum(cell)]),
  );
  meter.observeCounter(PROXY_METRICS.handshakeFailures, () =>
    HANDSHAKE_FAILURES.map((reason) => [{ reason }, state.sum(HANDSHAKE_CELLS[reason])]),
  );
}

/** Only what is not zero: of thousands of routes most are quiet, and a series that never was costs everybody. */
function registerRouteMetrics(meter: Meter, series: RouteSeries): void {
  function* each<Value>(read: (numbers: RouteNumbers, labels: Labels) => Iterable<readonly [Labels, Value]>) {
    for (const [route, numbers] of series.read()) yield* read(numbers, { route });
  }
  const total = (metric: keyof typeof PROXY_METRICS, cell: RouteCell) =>
    meter.observeCounter(PROXY_METRICS[metric], () =>
      each((numbers, labels) => (numbers.get(cell) === 0 ? [] : [[labels, numbers.get(cell)]])),
    );
  meter.observeCounter(PROXY_METRICS.requests, () =>
    each((numbers, labels) =>
      STATUS_CLASSES.filter((status) => numbers.get(`status${status}`) !== 0).map((status) => [
        { ...labels, status },
        numbers.get(`status${status}`),
      ]),
    ),
  );
  meter.observeCounter(PROXY_METRICS.grpcCalls, () =>
    each(({ calls }, labels) =>
      CALL_STATUSES.flatMap((status, at) => (calls[at] === 0 ? [] : [[{ ...labels, status }, calls[at]!] as const])),
    ),
  );
  total("requestBytes", "requestBytes");
  total("responseBytes", "responseBytes");
  total("upstreamFailures", "upstreamFailures");
  total("retries", "retries");
  total("retriesRefused", "retriesRefused");
  const histogram = (
    metric: "requestDuration" | "upstreamDuration",
    read: (numbers: RouteNumbers) => HistogramReading,
  ) =>
    meter.observeHistogram(PROXY_METRICS[metric], () =>
      each((numbers, labels) => {
        const reading = read(numbers);
        return reading.counts.some((count) => count !== 0) ? [[labels, reading]] : [];
      }),
    );
  histogram("requestDuration", (route) => ({ counts: route.durations, sum: route.get("durationSumMs") / 1_000 }));
  histogram("upstreamDuration", (route) => ({
    counts: route.upstreamDurations,
    sum: route.get("upstreamSumMs") / 1_000,
  }));
}
