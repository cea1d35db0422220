import type { MetricTable } from "../core/ports.ts";

/** What a control plane measures of its fleet. */
export const FLEET_METRICS = {
  rejections: {
    type: "counter",
    name: "runway_fleet_rejections_total",
    help: "Streams of nodes that the control plane ended, by the code of the failure.",
    labels: ["code"],
  },
  deferrals: {
    type: "counter",
    name: "runway_fleet_deferrals_total",
    help: "Nodes that were told to come back later, since too many wait to be sent a configuration.",
  },
  answers: {
    type: "counter",
    name: "runway_fleet_answers_total",
    help: "Answers of nodes to configurations: ack, nack.",
    labels: ["answer"],
  },
  apply: {
    type: "histogram",
    name: "runway_fleet_apply_seconds",
    help: "Time from the publication of a configuration until a node said that it runs it.",
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60],
  },
  nodes: { type: "gauge", name: "runway_fleet_nodes", help: "Nodes by status.", labels: ["status"] },
  nodesInSync: {
    type: "gauge",
    name: "runway_fleet_nodes_in_sync",
    help: "Connected nodes, by whether they run the newest configuration.",
    labels: ["in_sync"],
  },
  nodesLate: {
    type: "gauge",
    name: "runway_fleet_nodes_late",
    help: "Connected nodes that have been behind the newest configuration for longer than alarm_after.",
  },
  sendsWaiting: {
    type: "gauge",
    name: "runway_fleet_sends_waiting",
    help: "Nodes that wait for their turn to be sent a configuration.",
  },
  handshakesWaiting: {
    type: "gauge",
    name: "runway_fleet_handshakes_waiting",
    help: "Connections of data planes that wait for their TLS handshake to begin.",
  },
  handshakesDropped: {
    type: "counter",
    name: "runway_fleet_handshakes_dropped_total",
    help: "Connections of data planes that were dropped, since too many wait for their TLS handshake.",
  },
  handshakeFailures: {
    type: "counter",
    name: "runway_fleet_handshake_failures_total",
    help: "TLS handshakes with data planes that failed, by reason.",
    labels: ["reason"],
  },
} as const satisfies MetricTable;

/** What a data plane measures of its life with the control plane. */
export const SYNC_METRICS = {
  connects: {
    type: "counter",
    name: "runway_sync_connects_total",
    help: "Attempts of the data plane to connect to a control plane.",
  },
  configurations: {
    type: "counter",
    name: "runway_sync_configurations_total",
    help: "Configurations that the data plane was given, by how they came: delta, snapshot, or document from an original control plane.",
    labels: ["form"],
  },
  connected: {
    type: "gauge",
    name: "runway_sync_connected",
    help: "1 while a control plane has accepted this data plane.",
  },
  configVersion: {
    type: "gauge",
    name: "runway_sync_config_version",
    help: "Version of the configuration that this data plane runs.",
  },
} as const satisfies MetricTable;
