import type { LeftOut } from "../config/edition-rules.ts";
import type { Json, JsonObject } from "../config/json.ts";
import type { Problem } from "../config/problem.ts";

/** What the admin API of a control plane needs of the fleet. */
export interface FleetView {
  /** Every node that is known, ordered by id; also those that left, until they are forgotten. */
  nodes(): readonly NodeReport[];
  /** Drops what is remembered of a node that is not connected, its claim on its id included. */
  forget(nodeId: string): "forgotten" | "unknown" | "connected";
  /**
   * Asks something of a node, wherever it is connected (see node-calls.ts).
   * @throws RunwayError notFound, nodeNotConnected, nodeCallFailed, adminBadRequest, overloaded
   */
  call(nodeId: string, name: string, params: JsonObject): Promise<Json>;
  /** Resolves when every connected node has applied `version` or refused it, or after `timeoutMs`. */
  waitApplied(version: number, options: { timeoutMs: number }): Promise<FleetProgress>;
}

export interface FleetProgress {
  /** Nodes that serve the version. */
  readonly applied: readonly string[];
  /** Nodes that were connected and do not serve it, with the reason. */
  readonly missing: readonly {
    readonly nodeId: string;
    readonly why: "refused" | "left" | "pending";
    readonly detail: string;
  }[];
  /** The node that applied it last, and how long after the commit. */
  readonly slowest?: { readonly nodeId: string; readonly afterMs: number };
  /** After which half of those of this control plane had applied it, and 99 of 100. */
  readonly medianMs?: number | undefined;
  readonly p99Ms?: number | undefined;
}

export interface NodeReport {
  readonly nodeId: string;
  readonly hostname: string;
  /** Of the program. */
  readonly version: string;
  readonly status: "connected" | "stale" | "offline" | "rejected";
  /** Of the configuration that it serves; 0 when none. */
  readonly configVersion: number;
  readonly configHash: bigint;
  /** Whether what it serves is what the control plane has. */
  readonly inSync: boolean;
  readonly lagVersions: number;
  /** Since when it has not been level, while it is connected. */
  readonly behindSinceMs?: number | undefined;
  /** Whether that is so long that a person should look. */
  readonly isLate: boolean;
  readonly lastHeartbeatMs?: number | undefined;
  readonly connectedAtMs?: number | undefined;
  readonly address?: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly capabilities: readonly string[];
  /** Versions by name; empty ones came with the program. */
  readonly plugins: Readonly<Record<string, string>>;
  /** What of the newest configuration its program does not know; with `obstacle`, it is not given the rest either. */
  readonly leftOut: readonly LeftOut[];
  readonly certificate?: CertificateReport | undefined;
  readonly transport?: string | undefined;
  /** The control plane that it is connected to, where that is another one than this. */
  readonly controlPlane?: string | undefined;
  /** Why it was turned away, when its status is `rejected`. */
  readonly rejection?: string | undefined;
  /** The version that it refused last, while that is still the newest, and why. */
  readonly refused?: { readonly version: number; readonly problems: readonly Problem[] } | undefined;
  /** Why the newest configuration cannot be sent to it. */
  readonly obstacle?: string | undefined;
  /** How long its last apply took, by phase. */
  readonly appliedDurationsMs?: Readonly<Record<string, number>> | undefined;
  /** Of its last heartbeat. */
  readonly nodeStatus?: NodeStatusReport | undefined;
}

/** The certificate that a node showed; other control planes may tell less of it. */
interface CertificateReport {
  readonly subject: string;
  readonly notAfterMs?: number;
  readonly serialNumber?: string;
  readonly fingerprint?: string;
}

export interface NodeStatusReport {
  readonly runwayVersion: string;
  /** Empty after a success. */
  readonly lastReloadError: string;
  readonly lastSuccessfulVersion: number;
  readonly routes: number;
  readonly healthyRoutes: number;
  readonly activeConnections: number;
  readonly uptimeSeconds: number;
  readonly requestsTotal: number;
  readonly failuresTotal: number;
  readonly latencyP50Ms: number;
  readonly latencyP99Ms: number;
  readonly eventLoopLagP99Ms: number;
  readonly memoryBytes: number;
  /** Why its configuration could not be kept on its disk; empty when it could. */
  readonly cacheError: string;
}
