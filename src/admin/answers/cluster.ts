import { z } from "zod";
import { Problem } from "./problem.ts";
import { count, hash64, hashHex, perhapsTime } from "./scalars.ts";

const NodeStatus = z.strictObject({
  runway_version: z.string(),
  last_reload_error: z.string().describe("Empty after a success."),
  last_successful_version: z.int(),
  routes: z.int(),
  healthy_routes: z.int(),
  active_connections: count,
  uptime_seconds: count,
  requests_total: count,
  failures_total: count,
  latency_p50_ms: count,
  latency_p99_ms: count,
  event_loop_lag_p99_ms: count,
  memory_bytes: count,
  cache_error: z.string().describe("Why its configuration could not be kept on its disk; empty when it could."),
});

export const NodesAnswer = z.array(
  z.strictObject({
    node_id: z.string(),
    hostname: z.string(),
    version: z.string().describe("Of the program."),
    config_version: z.int(),
    config_hash: hash64,
    last_heartbeat: perhapsTime,
    status: z.enum(["connected", "stale", "offline", "rejected"]),
    node_status: NodeStatus.optional(),
    config_hash_hex: hashHex,
    in_sync: z.boolean().describe("Whether what it serves is what the control plane has."),
    lag_versions: z.int(),
    behind_since: perhapsTime.describe("Since when it has not been level, while it is connected."),
    late: z.boolean().describe("Whether that is so long that a person should look."),
    connected_at: perhapsTime,
    address: z.string().nullable(),
    labels: z.record(z.string(), z.string()),
    capabilities: z.array(z.string()),
    transport: z.string().nullable(),
    control_plane: z.string().nullable().describe("The one that it is connected to, where that is another."),
    certificate: z.looseObject({ subject: z.string(), not_after: perhapsTime }).nullable(),
    applied_durations_ms: z.record(z.string(), z.number()).nullable(),
    refused: z
      .strictObject({ version: z.int(), problems: z.array(Problem) })
      .nullable()
      .describe("The version that it refused, while that is still the newest, and why."),
    rejection: z.string().nullable().describe("Why it was turned away."),
    obstacle: z.string().nullable().describe("Why the newest configuration cannot be sent to it, or must not."),
    plugins: z.record(z.string(), z.string()).describe("Versions by name."),
    missing_plugins: z.array(z.string()).describe("Those that are configured and that it does not have."),
    left_out: z
      .array(
        z.strictObject({ kind: z.string(), id: z.string(), path: z.string(), reason: z.string(), guards: z.boolean() }),
      )
      .describe("What its program does not know of the newest configuration; at most 100."),
    left_out_total: z.int(),
  }),
);

export const ForgottenAnswer = z.strictObject({ status: z.literal("forgotten"), node_id: z.string() });

export const ClusterStatusAnswer = z.strictObject({
  role: z.literal("data_plane"),
  cp_address: z.string(),
  connected: z.boolean(),
  config_version: z.int(),
  config_hash: hash64,
  node_id: z.string(),
  has_config: z.boolean(),
  config_hash_hex: hashHex,
  epoch: z.string().nullable(),
  connected_at: perhapsTime,
  last_error: z.string(),
  peer: z.string().nullable(),
  withheld: z
    .strictObject({ version: z.int(), hash_hex: hashHex, reason: z.string() })
    .nullable()
    .describe("A version that the control plane does not give to this node, and why."),
});
