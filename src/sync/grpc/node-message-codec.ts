import { create, fromBinary, type MessageInitShape, toBinary } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import type { Problem } from "../../config/problem.ts";
import { LIMITS } from "../limits.ts";
import type { Ack, FromNode, Heartbeat, Hello, Nack, NodeStatus, Stamp } from "../messages.ts";
import { bounded, fromUint64, toUint64 } from "../wire-values.ts";
import {
  type ConnectRequest,
  type HeartbeatRequest,
  NodeMessageSchema,
  type Ack as WireAck,
  type Nack as WireNack,
  type Problem as WireProblem,
  type NodeStatus as WireStatus,
} from "./generated/runway/cluster/v1/cluster_pb.ts";

type WireMessage = NonNullable<MessageInitShape<typeof NodeMessageSchema>["msg"]>;

export function encodeFromNode(message: FromNode): Buffer {
  return Buffer.from(toBinary(NodeMessageSchema, create(NodeMessageSchema, { msg: toWire(message) })));
}

/**
 * @returns undefined for a kind of message that this version does not know
 * @throws Error when the bytes are not a NodeMessage
 */
export function decodeFromNode(bytes: Uint8Array): FromNode | undefined {
  const { msg } = fromBinary(NodeMessageSchema, bytes);
  switch (msg.case) {
    case "connect":
      return readHello(msg.value);
    case "heartbeat":
      return readHeartbeat(msg.value);
    case "ack":
      return readAck(msg.value);
    case "nack":
      return readNack(msg.value);
    case "rpc":
      return { type: "rpc", frame: msg.value };
    case undefined:
      return undefined;
  }
}

// ---- writing ----------------------------------------------------------------------------------------------------------

function toWire(message: FromNode): WireMessage {
  switch (message.type) {
    case "hello":
      return { case: "connect", value: writeHello(message) };
    case "heartbeat":
      return { case: "heartbeat", value: writeHeartbeat(message) };
    case "ack": {
      const { epoch, version, hash, durationsMs } = message;
      const value = {
        epoch,
        version: BigInt(version),
        stateHash: hash,
        phase: "applied",
        durationsMs: { ...durationsMs },
      };
      return { case: "ack", value };
    }
    case "nack":
      return { case: "nack", value: writeNack(message) };
    case "rpc":
      return { case: "rpc", value: message.frame };
  }
}

function writeHello(hello: Hello): (WireMessage & { case: "connect" })["value"] {
  const { running, partial } = hello;
  return {
    nodeId: hello.nodeId,
    version: hello.version,
    hostname: hello.hostname,
    configHash: hello.originalHash,
    epoch: running?.epoch ?? "",
    configVersion: BigInt(running?.version ?? 0),
    stateHash: running?.hash ?? 0n,
    capabilities: [...hello.capabilities],
    encodings: [...hello.encodings],
    labels: { ...hello.labels },
    plugins: Object.entries(hello.plugins).map(([name, version]) => ({ name, version })),
    instanceId: hello.instanceId,
    heartbeatIntervalMs: hello.heartbeatIntervalMs,
    ...(partial && { partial: { ...partial, version: BigInt(partial.version) } }),
  };
}

function writeHeartbeat({
  nodeId,
  running,
  status,
  sentAtMs,
}: Heartbeat): (WireMessage & { case: "heartbeat" })["value"] {
  const { certificateNotAfterMs, ...numbers } = status;
  return {
    nodeId,
    configVersion: BigInt(running?.version ?? 0),
    configHash: running?.hash ?? 0n,
    epoch: running?.epoch ?? "",
    timestamp: timestampFromMs(sentAtMs),
    status: {
      ...numbers,
      routes: Number(toUint64(status.routes)),
      healthyRoutes: Number(toUint64(status.healthyRoutes)),
      activeConnections: Number(toUint64(status.activeConnections)),
      uptimeSeconds: toUint64(status.uptimeSeconds),
      lastReloadError: bounded(status.lastReloadError),
      lastSuccessfulVersion: toUint64(status.lastSuccessfulVersion),
      requestsTotal: toUint64(status.requestsTotal),
      failuresTotal: toUint64(status.failuresTotal),
      memoryBytes: toUint64(status.memoryBytes),
      ...(certificateNotAfterMs === undefined ? {} : { certificateNotAfter: timestampFromMs(certificateNotAfterMs) }),
    },
  };
}

function writeNack({ epoch, version, reason, problems, running }: Nack): (WireMessage & { case: "nack" })["value"] {
  return {
    epoch,
    version: BigInt(version),
    reason,
    problems: problems.slice(0, LIMITS.problems).map(({ kind, id, path, message }) => ({
      kind: kind ?? "",
      id: id ?? "",
      path: bounded(path),
      message: bounded(message),
    })),
    runningEpoch: running?.epoch ?? "",
    runningVersion: BigInt(running?.version ?? 0),
    runningStateHash: running?.hash ?? 0n,
  };
}

// ---- reading ----------------------------------------------------------------------------------------------------------

function readHello(wire: ConnectRequest): Hello {
  const { partial } = wire;
  return {
    type: "hello",
    nodeId: wire.nodeId,
    version: bounded(wire.version),
    hostname: bounded(wire.hostname),
    running: readStamp(wire.epoch, wire.configVersion, wire.stateHash),
    originalHash: wire.configHash,
    capabilities: wire.capabilities.slice(0, LIMITS.capabilities),
    encodings: wire.encodings.slice(0, LIMITS.capabilities),
    labels: { ...wire.labels },
    plugins: Object.fromEntries(
      wire.plugins.slice(0, LIMITS.plugins).map(({ name, version }) => [bounded(name), bounded(version)]),
    ),
    instanceId: bounded(wire.instanceId),
    heartbeatIntervalMs: wire.heartbeatIntervalMs,
    partial: partial && {
      epoch: partial.epoch,
      version: fromUint64(partial.version),
      checksum: partial.checksum,
      nextIndex: partial.nextIndex,
    },
  };
}

function readHeartbeat(wire: HeartbeatRequest): Heartbeat {
  return {
    type: "heartbeat",
    nodeId: bounded(wire.nodeId),
    running: readStamp(wire.epoch, wire.configVersion, wire.configHash),
    status: readStatus(wire.status),
    sentAtMs: wire.timestamp === undefined ? 0 : timestampMs(wire.timestamp),
  };
}

function readStatus(wire: WireStatus | undefined): NodeStatus {
  const notAfter = wire?.certificateNotAfter;
  return {
    routes: wire?.routes ?? 0,
    healthyRoutes: wire?.healthyRoutes ?? 0,
    activeConnections: wire?.activeConnections ?? 0,
    runwayVersion: bounded(wire?.runwayVersion ?? ""),
    uptimeSeconds: Number(wire?.uptimeSeconds ?? 0),
    lastReloadError: bounded(wire?.lastReloadError ?? ""),
    lastSuccessfulVersion: fromUint64(wire?.lastSuccessfulVersion ?? 0n),
    requestsTotal: Number(wire?.requestsTotal ?? 0),
    failuresTotal: Number(wire?.failuresTotal ?? 0),
    latencyP50Ms: wire?.latencyP50Ms ?? 0,
    latencyP99Ms: wire?.latencyP99Ms ?? 0,
    eventLoopLagP99Ms: wire?.eventLoopLagP99Ms ?? 0,
    memoryBytes: Number(wire?.memoryBytes ?? 0),
    certificateNotAfterMs: notAfter && timestampMs(notAfter),
    cacheError: bounded(wire?.cacheError ?? ""),
  };
}

function readAck({ epoch, version, stateHash, durationsMs }: WireAck): Ack {
  const durations = Object.entries(durationsMs).slice(0, LIMITS.phases);
  return {
    type: "ack",
    epoch,
    version: fromUint64(version),
    hash: stateHash,
    durationsMs: Object.fromEntries(durations),
  };
}

function readNack(wire: WireNack): Nack {
  return {
    type: "nack",
    epoch: wire.epoch,
    version: fromUint64(wire.version),
    reason: bounded(wire.reason),
    problems: wire.problems.slice(0, LIMITS.problems).map(readProblem),
    running: readStamp(wire.runningEpoch, wire.runningVersion, wire.runningStateHash),
  };
}

function readProblem({ kind, id, path, message }: WireProblem): Problem {
  return {
    path: bounded(path),
    message: bounded(message),
    ...(kind === "" ? {} : { kind: bounded(kind) }),
    ...(id === "" ? {} : { id: bounded(id) }),
  };
}

/** An original data plane has no epoch, and one that runs nothing has neither version nor hash. */
function readStamp(epoch: string, version: bigint, hash: bigint): Stamp | undefined {
  if (epoch === "" && version === 0n && hash === 0n) return undefined;
  return { epoch: bounded(epoch), version: fromUint64(version), hash };
}
