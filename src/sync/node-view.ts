import type { LeftOut } from "../config/edition-rules.ts";
import type { Problem } from "../config/problem.ts";
import type { PeerCertificate } from "./connection.ts";
import { isInSync } from "./fleet-state.ts";
import type { FleetStream } from "./fleet-stream.ts";
import type { NodeStatus, Stamp } from "./messages.ts";
import type { Peer } from "./node-state.ts";

type NodeViewStatus = "connected" | "stale" | "offline" | "rejected";

/** One row of the fleet, for people and programs. Times are milliseconds since 1970. */
export interface NodeView {
  readonly nodeId: string;
  readonly status: NodeViewStatus;
  readonly hostname: string;
  /** Of the program. */
  readonly version: string;
  readonly peer: Peer | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  /** Versions by name; empty ones came with the program. */
  readonly plugins: Readonly<Record<string, string>>;
  readonly address: string;
  readonly transport: string;
  readonly certificate: PeerCertificate | undefined;
  readonly connectedAtMs: number | undefined;
  readonly disconnectedAtMs: number | undefined;
  readonly lastHeartbeatMs: number | undefined;
  readonly nodeStatus: NodeStatus | undefined;

  readonly epoch: string;
  readonly configVersion: number;
  /** The state hash of what the node compiled; of an original data plane the xxHash64 of the YAML it took. */
  readonly configHash: bigint;
  /** Of a connected node: whether what it compiled is the newest configuration. */
  readonly inSync: boolean;
  /** How many versions it is behind. */
  readonly lagVersions: number;
  /** Of a connected node: since when it has not been level; undefined while it is. */
  readonly behindSinceMs: number | undefined;
  /** Whether that is so long that a person should look. */
  readonly isLate: boolean;
  readonly lastApply: { readonly version: number; readonly durationsMs: Readonly<Record<string, number>> } | undefined;
  /** The configuration that it refused last, until it applies one. */
  readonly refusal: Refusal | undefined;
  /** Why the newest configuration cannot be sent to it; empty when it can. */
  readonly obstacle: string;
  /** What of the newest configuration its program does not know; with `obstacle`, it is not given the rest either. */
  readonly leftOut: readonly LeftOut[];
  /** Why it was not let in; set where `status` is `rejected`. */
  readonly rejection: RejectionView | undefined;
}

interface Refusal {
  readonly version: number;
  readonly reason: string;
  readonly problems: readonly Problem[];
  /** How often in a row it refused what is still the newest. */
  readonly times: number;
}

export interface RejectionView {
  /** `RW_IDENTITY_REFUSED`. */
  readonly code: string;
  readonly detail: string;
  readonly attempts: number;
  readonly firstAtMs: number;
  readonly lastAtMs: number;
}

/** A node whose stream is, or was, known to this control plane. */
export function viewOf(stream: FleetStream, newest: Stamp | undefined): NodeView {
  const { state } = stream;
  const { hello, running, lastAck, lastNack } = state;
  return {
    ...describeStream(stream),
    nodeId: hello?.nodeId ?? "",
    status: stream.isOpen ? (stream.isStale ? "stale" : "connected") : "offline",
    peer: state.peer,
    nodeStatus: state.status,
    epoch: running?.epoch ?? "",
    configVersion: running?.version ?? 0,
    configHash: running?.hash ?? state.originalHash,
    inSync: stream.isOpen && isInSync(state),
    lagVersions: lagOf(running, newest),
    behindSinceMs: stream.behindSinceMs,
    isLate: state.pushes > 0,
    lastApply: lastAck && { version: lastAck.version, durationsMs: lastAck.durationsMs },
    refusal: lastNack && {
      version: lastNack.version,
      reason: lastNack.reason,
      problems: lastNack.problems,
      times: state.refusals,
    },
    obstacle: state.obstacle,
    leftOut: state.newest?.leftOut ?? [],
    rejection: undefined,
  };
}

/** A node that is known by its id alone: it had come before this control plane started. */
export function viewOfAbsent(nodeId: string, newest: Stamp | undefined): NodeView {
  return {
    nodeId,
    status: "offline",
    hostname: "",
    version: "",
    peer: undefined,
    labels: {},
    capabilities: [],
    plugins: {},
    address: "",
    transport: "",
    certificate: undefined,
    connectedAtMs: undefined,
    disconnectedAtMs: undefined,
    lastHeartbeatMs: undefined,
    nodeStatus: undefined,
    epoch: "",
    configVersion: 0,
    configHash: 0n,
    inSync: false,
    lagVersions: lagOf(undefined, newest),
    behindSinceMs: undefined,
    isLate: false,
    lastApply: undefined,
    refusal: undefined,
    obstacle: "",
    leftOut: [],
    rejection: undefined,
  };
}

/** What was seen of a stream that was not let in. */
export function viewOfRejected(stream: FleetStream, rejection: RejectionView, newest: Stamp | undefined): NodeView {
  const nodeId = stream.state.hello?.nodeId ?? "";
  return { ...viewOfAbsent(nodeId, newest), ...describeStream(stream), status: "rejected", rejection };
}

function describeStream({ peer, certificate, state, connectedAtMs, disconnectedAtMs, lastHeardAtMs }: FleetStream) {
  return {
    hostname: state.hello?.hostname ?? "",
    version: state.hello?.version ?? "",
    labels: state.hello?.labels ?? {},
    capabilities: state.hello?.capabilities ?? [],
    plugins: state.hello?.plugins ?? {},
    address: peer.address,
    transport: peer.transport,
    certificate,
    connectedAtMs,
    disconnectedAtMs,
    lastHeartbeatMs: lastHeardAtMs,
  };
}

function lagOf(running: Stamp | undefined, newest: Stamp | undefined): number {
  if (newest === undefined) return 0;
  // An original data plane has no epoch, and takes its version numbers from whoever sent them.
  const isSameCount = running !== undefined && (running.epoch === newest.epoch || running.epoch === "");
  return isSameCount ? Math.max(0, newest.version - running.version) : newest.version;
}
