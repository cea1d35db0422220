import type { Problem } from "../config/problem.ts";

/** Names one configuration: the `version`th commit of the store `epoch`, with the hash of its state. */
export interface Stamp {
  /** Empty for a configuration of an original control plane, which has none. */
  readonly epoch: string;
  readonly version: number;
  readonly hash: bigint;
}

/**
 * What a peer of ours can do beyond the original protocol: chunked snapshots, acks and nacks. Other capabilities are the
 * prefixes of the RPC methods that a side answers (rpc/rpc-peer.ts).
 */
export const SNAPSHOT_CAPABILITY = "snapshot.v1";

/** Besides SNAPSHOT_CAPABILITY: changes against what the node runs. */
export const DELTA_CAPABILITY = "delta.v1";

/** A JSON-RPC 2.0 frame, in either direction. Sent only to a peer of ours. */
interface RpcText {
  readonly type: "rpc";
  readonly frame: string;
}

/** How a snapshot is spelled on the wire, see configuration-encoding.ts. */
export const ENCODINGS = ["json+zstd", "json"] as const;
export type Encoding = (typeof ENCODINGS)[number];

// ---- from the data plane ----------------------------------------------------------------------------------------------

/** Always the first message of a stream. */
export interface Hello {
  readonly type: "hello";
  readonly nodeId: string;
  /** Of the program, `1.4.0`. */
  readonly version: string;
  readonly hostname: string;
  /** What the node runs now; undefined when nothing. */
  readonly running: Stamp | undefined;
  /** xxHash64 of the `config_yaml` that it runs; 0 when it runs none or one of ours. */
  readonly originalHash: bigint;
  /** Empty: an original data plane. */
  readonly capabilities: readonly string[];
  /** Preferred first. */
  readonly encodings: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** Versions by name; empty ones came with the program. None at all: it does not say. */
  readonly plugins: Readonly<Record<string, string>>;
  /** Fresh at each start of the process; empty for an original data plane. */
  readonly instanceId: string;
  /** 0 for an original data plane, which does not say. */
  readonly heartbeatIntervalMs: number;
  /** A transfer that was cut, to be gone on with. */
  readonly partial: PartialTransfer | undefined;
}

export interface PartialTransfer {
  readonly epoch: string;
  readonly version: number;
  readonly checksum: bigint;
  /** The first chunk that is missing. */
  readonly nextIndex: number;
}

/** What the node measures of itself. */
export interface NodeNumbers {
  readonly routes: number;
  readonly healthyRoutes: number;
  readonly activeConnections: number;
  readonly uptimeSeconds: number;
  readonly requestsTotal: number;
  /** Requests that the gateway itself answered with 5xx. */
  readonly failuresTotal: number;
  /** Over the last heartbeat interval; 0 when there were no requests. */
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  /** Of the slowest worker. */
  readonly eventLoopLagP99Ms: number;
  readonly memoryBytes: number;
  readonly certificateNotAfterMs: number | undefined;
  /** Why the configuration could not be kept on disk; empty when it could. */
  readonly cacheError: string;
}

export interface NodeStatus extends NodeNumbers {
  readonly runwayVersion: string;
  /** Empty after a success. */
  readonly lastReloadError: string;
  readonly lastSuccessfulVersion: number;
}

export interface Heartbeat {
  readonly type: "heartbeat";
  readonly nodeId: string;
  /** To an original control plane, and from an original data plane, `hash` is the xxHash64 of the `config_yaml`. */
  readonly running: Stamp | undefined;
  readonly status: NodeStatus;
  readonly sentAtMs: number;
}

/** The node runs this configuration now. `hash` is of what it compiled, computed by the node. */
export interface Ack extends Stamp {
  readonly type: "ack";
  readonly durationsMs: Readonly<Record<string, number>>;
}

/** The node refuses this configuration and goes on with what it has. */
export interface Nack {
  readonly type: "nack";
  readonly epoch: string;
  readonly version: number;
  /** Stable code of the failure, `RW_INTEGRITY_MISMATCH`. */
  readonly reason: string;
  readonly problems: readonly Problem[];
  readonly running: Stamp | undefined;
}

export type FromNode = Hello | Heartbeat | Ack | Nack | RpcText;

// ---- from the control plane -------------------------------------------------------------------------------------------

/** The answer to a hello that was accepted. */
export interface Welcome {
  readonly type: "welcome";
  /** The newest configuration; undefined when there is none yet. */
  readonly newest: Stamp | undefined;
  readonly capabilities: readonly string[];
  readonly controlPlaneId: string;
  readonly heartbeatIntervalMs: number;
  /** Where other control planes of the same fleet are. */
  readonly addresses: readonly string[];
}

/** One piece of a snapshot: the encoded snapshot is the concatenation of the data of chunks 0 to count-1. */
export interface Chunk {
  readonly type: "chunk";
  readonly stamp: Stamp;
  readonly encoding: Encoding | (string & {});
  readonly index: number;
  readonly count: number;
  /** xxHash64 of the whole encoded snapshot. */
  readonly checksum: bigint;
  readonly data: Uint8Array;
}

/** What changes a configuration that the node runs into the newest one. */
export interface DeltaUpdate {
  readonly type: "delta";
  /** What it builds on; of the same epoch as `stamp`. */
  readonly base: Stamp;
  /** What it makes of it. */
  readonly stamp: Stamp;
  readonly encoding: Encoding | (string & {});
  /** xxHash64 of `data`. */
  readonly checksum: bigint;
  readonly data: Uint8Array;
}

/** A whole configuration as the original protocol sends it. */
export interface OriginalUpdate {
  readonly type: "original";
  readonly version: number;
  readonly yaml: Uint8Array;
  /** xxHash64 of `yaml`. */
  readonly hash: bigint;
  readonly timestampMs: number;
  /** `init`, `file` or `admin-api`. */
  readonly source: string;
}

export type FromControlPlane = Welcome | Chunk | DeltaUpdate | OriginalUpdate | RpcText;
