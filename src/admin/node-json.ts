import { formatHash } from "../config/state-hash.ts";
import type { NodeReport, NodeStatusReport } from "./fleet-view.ts";
import { timestamp } from "./write-json.ts";

/** Things that a node goes without which are listed. */
const MAX_LEFT_OUT = 100;

/** A node as the admin API writes it: the cluster contract's fields first, ours after them. */
export function nodeJson(node: NodeReport) {
  return {
    node_id: node.nodeId,
    hostname: node.hostname,
    version: node.version,
    config_version: node.configVersion,
    config_hash: node.configHash,
    last_heartbeat: timestamp(node.lastHeartbeatMs),
    status: node.status,
    ...(node.nodeStatus === undefined ? {} : { node_status: nodeStatusJson(node.nodeStatus) }),
    config_hash_hex: formatHash(node.configHash),
    in_sync: node.inSync,
    lag_versions: node.lagVersions,
    behind_since: timestamp(node.behindSinceMs),
    late: node.isLate,
    connected_at: timestamp(node.connectedAtMs),
    address: node.address ?? null,
    labels: node.labels,
    capabilities: node.capabilities,
    transport: node.transport ?? null,
    control_plane: node.controlPlane ?? null,
    certificate: certificateJson(node.certificate),
    applied_durations_ms: node.appliedDurationsMs ?? null,
    refused: node.refused ?? null,
    rejection: node.rejection ?? null,
    obstacle: node.obstacle ?? null,
    plugins: Object.fromEntries(Object.entries(node.plugins).map(([name, version]) => [name, version || node.version])),
    missing_plugins: [...new Set(node.leftOut.flatMap(({ plugin }) => plugin ?? []))],
    left_out: node.leftOut
      .slice(0, MAX_LEFT_OUT)
      .map(({ kind, id, path, reason, guards }) => ({ kind, id, path, reason, guards })),
    left_out_total: node.leftOut.length,
  };
}

function nodeStatusJson(status: NodeStatusReport) {
  return {
    runway_version: status.runwayVersion,
    last_reload_error: status.lastReloadError,
    last_successful_version: status.lastSuccessfulVersion,
    routes: status.routes,
    healthy_routes: status.healthyRoutes,
    active_connections: status.activeConnections,
    uptime_seconds: status.uptimeSeconds,
    requests_total: status.requestsTotal,
    failures_total: status.failuresTotal,
    latency_p50_ms: status.latencyP50Ms,
    latency_p99_ms: status.latencyP99Ms,
    event_loop_lag_p99_ms: status.eventLoopLagP99Ms,
    memory_bytes: status.memoryBytes,
    cache_error: status.cacheError,
  };
}

function certificateJson(certificate: NodeReport["certificate"]) {
  if (certificate === undefined) return null;
  const { subject, notAfterMs, serialNumber, fingerprint } = certificate;
  return {
    subject,
    not_after: timestamp(notAfterMs),
    serial_number: serialNumber ?? null,
    fingerprint: fingerprint ?? null,
  };
}
