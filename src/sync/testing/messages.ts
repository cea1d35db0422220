import { deltaBetween } from "../../config/delta.ts";
import { createSnapshot, type Snapshot } from "../../config/snapshot.ts";
import { writeDelta } from "../delta-offer.ts";
import type { DeltaUpdate, Heartbeat, Hello, NodeStatus, Stamp } from "../messages.ts";
import { Publication } from "../publication.ts";

const EPOCH = "e";

/** A snapshot that says its version. */
export function snapshotOf(version: number, epoch = EPOCH): Snapshot {
  const spec = { path: `/${version}`, backends: [{ url: "http://127.0.0.1:1" }] };
  return createSnapshot({ epoch, version, resources: [{ kind: "route", id: "r", spec }] });
}

/** @param maxChunkBytes small enough, it makes a snapshot of several chunks */
export function publicationOf(version: number, maxChunkBytes?: number, epoch = EPOCH): Publication {
  const snapshot = snapshotOf(version, epoch);
  const originalYaml = () => `# ${version}\n`;
  return new Publication({ snapshot, source: "file", timestampMs: 1, originalYaml }, maxChunkBytes);
}

/** What takes a node from one version to another. */
export function deltaOf(from: number, to: number): DeltaUpdate {
  const delta = deltaBetween(snapshotOf(from).resources, snapshotOf(to).resources);
  return writeDelta(stampOf(from), stampOf(to), delta, "json")!;
}

export function stampOf(version: number, epoch = EPOCH): Stamp {
  return publicationOf(version, undefined, epoch).stamp;
}

export function helloOf(changes: Partial<Hello> = {}): Hello {
  return {
    type: "hello",
    nodeId: "n1",
    version: "1.4.1",
    hostname: "host",
    running: undefined,
    originalHash: 0n,
    capabilities: ["snapshot.v1"],
    encodings: ["json"],
    labels: {},
    plugins: {},
    instanceId: "i1",
    heartbeatIntervalMs: 1_000,
    partial: undefined,
    ...changes,
  };
}

export const STATUS: NodeStatus = {
  routes: 1,
  healthyRoutes: 1,
  activeConnections: 0,
  uptimeSeconds: 1,
  requestsTotal: 0,
  failuresTotal: 0,
  latencyP50Ms: 0,
  latencyP99Ms: 0,
  eventLoopLagP99Ms: 0,
  memoryBytes: 0,
  certificateNotAfterMs: undefined,
  cacheError: "",
  runwayVersion: "1.4.1",
  lastReloadError: "",
  lastSuccessfulVersion: 0,
};

export function heartbeatOf(running: Stamp | undefined): Heartbeat {
  return { type: "heartbeat", nodeId: "n1", running, status: STATUS, sentAtMs: 1 };
}
