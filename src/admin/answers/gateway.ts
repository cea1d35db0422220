import { z } from "zod";
import { identifier } from "../../config/resources/scalars.ts";
import { count, perhapsTime, time } from "./scalars.ts";

const Worker = z.strictObject({ id: z.int(), state: z.string(), restarts: z.int() });

const statistics = {
  routes: z.int(),
  healthy_routes: z.int().describe("Those with a target that can take requests."),
  backends: z.record(z.string(), z.int()).describe("How many targets, by route."),
  listeners: z.int(),
  active_connections: count,
  active_requests: count,
  requests_total: count,
  failures_total: count.describe("Requests that the gateway itself answered with 5xx."),
  latency_p50_ms: count.optional(),
  latency_p99_ms: count.optional(),
  event_loop_lag_p99_ms: count.optional().describe("Of the slowest worker."),
  workers: z.array(Worker),
};
export const StatsAnswer = z.strictObject(statistics);
export const CountersAnswer = z.strictObject({ ...statistics, uptime_seconds: count, memory_bytes: count });

export const RoutesAnswer = z.array(
  z.strictObject({
    id: identifier,
    path: z.string(),
    path_prefix: z.boolean(),
    backends: z.int().describe("How many targets of its own."),
    upstream: z.string().optional(),
    methods: z.array(z.string()).optional(),
    domains: z.array(z.string()).optional(),
    header_matchers: z.int().optional(),
    query_matchers: z.int().optional(),
  }),
);

export const ExplanationAnswer = z.strictObject({
  route: z.string().nullable(),
  allow: z.array(z.string()).optional().describe("Methods that would be answered, where only the method is wrong."),
  others: z
    .array(z.strictObject({ id: z.string(), lost_by: z.string(), reason: z.string() }))
    .describe("Why others lost, the nearest to winning first."),
  unlisted: z.record(z.string(), z.int()).describe("How many more lost by what."),
});

export const ListenersAnswer = z.array(
  z.strictObject({ id: z.string(), protocol: z.string(), address: z.string().describe("With the port in use.") }),
);

const check = { latency: z.string().optional(), last_check: time.optional(), error: z.string().optional() };
const condition = z.enum(["healthy", "unhealthy", "unknown"]);

export const BackendsAnswer = z.array(
  z.strictObject({
    url: z.string(),
    status: condition,
    routes: z.array(z.string()),
    upstreams: z.array(z.string()),
    ...check,
  }),
);

const circuitState = z.enum(["closed", "open", "half_open"]);

const WatchedTarget = z.strictObject({
  url: z.string(),
  status: condition,
  ejected: z.boolean().optional().describe("Whether it is left out for failing requests."),
  ejections: z.int().optional(),
  share: z.number().optional().describe("The part of its weight that counts now."),
  circuit: circuitState.optional(),
  ...check,
});

export const UpstreamsAnswer = z.array(
  z.looseObject({
    id: z.string(),
    targets: z.array(WatchedTarget),
    backends: z.array(z.looseObject({ url: z.string() })),
  }),
);

const Circuit = z.strictObject({ state: circuitState, failure_count: z.int(), opened_total: z.int() });

export const CircuitBreakersAnswer = z.record(
  z.string(),
  z.union([Circuit, z.strictObject({ targets: z.record(z.string(), Circuit) })]),
);

export const ShownCertificatesAnswer = z.array(
  z.strictObject({
    listener_id: z.string(),
    mode: z.literal("manual"),
    manual: z.strictObject({
      cert_file: z.string(),
      key_file: z.string(),
      hosts: z.array(z.string()),
      not_after: perhapsTime,
      days_left: z.int(),
      serial: z.string(),
    }),
  }),
);
