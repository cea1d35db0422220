import type { EffectiveDelta } from "../config/delta.ts";
import type { Problem } from "../config/problem.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { xxhash64 } from "../config/state-hash.ts";
import type { FromControlPlane, FromNode, Stamp } from "./messages.ts";
import type { Transfer } from "./transfer.ts";

/** A configuration that was received and verified, to be validated, compiled and made to run. */
export type Incoming =
  | {
      readonly kind: "snapshot";
      readonly snapshot: Snapshot;
      /** What it changes of what runs, where it came as a change; undefined when it came as a whole. */
      readonly delta: EffectiveDelta | undefined;
    }
  | {
      readonly kind: "original";
      readonly yaml: string;
      readonly version: number;
      /** xxHash64 of the bytes received, recomputed here. */
      readonly yamlHash: bigint;
      readonly source: string;
    };

export type ApplyOutcome =
  | {
      readonly ok: true;
      /** Of what is compiled, computed by whoever compiled it. */
      readonly stateHash: bigint;
      /** By phase. */
      readonly durationsMs: Readonly<Record<string, number>>;
    }
  | {
      readonly ok: false;
      /** Stable code of the failure, `RW_CONFIGURATION_REFUSED`. */
      readonly reason: string;
      readonly problems: readonly Problem[];
    };

/** What a node is and does not change while it runs. */
export interface NodeIdentity {
  readonly nodeId: string;
  readonly version: string;
  readonly hostname: string;
  readonly labels: Readonly<Record<string, string>>;
  /** Versions by name; empty ones came with the program. */
  readonly plugins: Readonly<Record<string, string>>;
  /** Fresh at each start of the process. */
  readonly instanceId: string;
  /** Control planes, tried in turn. At least one. */
  readonly addresses: readonly string[];
  readonly heartbeatIntervalMs: number;
  readonly retryIntervalMs: number;
  /** Preferred first. */
  readonly encodings: readonly string[];
  /** Whether it takes changes against what it runs. */
  readonly takesDeltas: boolean;
  /** Prefixes of the RPC methods that it answers. */
  readonly rpcPrefixes: readonly string[];
}

export type Peer = "runway" | "original";

/** How the node stands with the control plane that it turned to last. */
type Link =
  | { readonly phase: "down" }
  | { readonly phase: "waiting" }
  | { readonly phase: "opening"; readonly address: string }
  /** The hello is sent and not answered yet. */
  | { readonly phase: "greeting"; readonly address: string }
  | { readonly phase: "live"; readonly address: string; readonly peer: Peer; readonly sinceMs: number };

export interface NodeState {
  readonly link: Link;
  readonly running: Stamp | undefined;
  /** The state that runs, for changes to build on; undefined when none of ours runs. */
  readonly held: Snapshot | undefined;
  /** Whether what runs is to be sent, verified and applied anew, whatever its hash; see `reported`. */
  readonly isDoubted: boolean;
  /** Of the `config_yaml` that runs; 0 when a configuration of ours runs or none. */
  readonly originalHash: bigint;
  readonly applying: Incoming | undefined;
  /** The newest one that came while another was being applied. */
  readonly pending: Incoming | undefined;
  readonly transfer: Transfer | undefined;
  /** Attempts to connect that failed since the last connection that lasted. */
  readonly failures: number;
  /** When that one ended; undefined until an attempt has failed. */
  readonly awaySinceMs: number | undefined;
  /** Until when it was asked to stay away, on its own clock; 0 when nobody asked. */
  readonly askedUntilMs: number;
  /** How many times the node has turned to the next control plane. */
  readonly nextAddress: number;
  /** Control planes that the last one spoke of, besides those that the node was told of. */
  readonly learned: readonly string[];
  /** Why the last configuration was refused; empty after a success. */
  readonly lastReloadError: string;
  /** Why the last connection ended or could not be had; empty while one holds. */
  readonly lastLinkError: string;
}

/** Time and chance come in from outside, so that the same events give the same course. */
export interface Moment {
  readonly atMs: number;
  /** In [0, 1). */
  readonly random: number;
}

export type NodeTimer = "reconnect" | "opening" | "greeting" | "heartbeat";

export type NodeOccurrence =
  | { readonly type: "start" }
  | { readonly type: "stop" }
  | { readonly type: "opened" }
  /** `comeBackAfterMs` where the control plane said when it wants to be tried again. */
  | { readonly type: "closed"; readonly reason: string; readonly comeBackAfterMs?: number | undefined }
  | { readonly type: "received"; readonly message: FromControlPlane }
  | { readonly type: "applied"; readonly outcome: ApplyOutcome }
  /** What runs is not to be believed any more: everything is wanted anew. */
  | { readonly type: "resync" }
  | { readonly type: "timer"; readonly timer: NodeTimer };

export type NodeEvent = Moment & NodeOccurrence;

export type NodeEffect =
  | { readonly type: "connect"; readonly address: string }
  | { readonly type: "disconnect" }
  | { readonly type: "send"; readonly message: Exclude<FromNode, { type: "heartbeat" }> }
  /** The driver adds what it measures. */
  | { readonly type: "send heartbeat"; readonly running: Stamp | undefined }
  | { readonly type: "apply"; readonly incoming: Incoming }
  /** A control plane of ours has let this node in; it answers the RPC methods with these prefixes. */
  | { readonly type: "welcomed"; readonly rpcPrefixes: readonly string[] }
  /** A JSON-RPC frame came. */
  | { readonly type: "rpc"; readonly frame: string }
  /** Replaces the timer of that name. */
  | { readonly type: "set timer"; readonly timer: NodeTimer; readonly delayMs: number }
  | { readonly type: "clear timer"; readonly timer: NodeTimer };

export interface NodeStep {
  readonly state: NodeState;
  readonly effects: readonly NodeEffect[];
}

export function initialNodeState(running?: Snapshot): NodeState {
  return {
    link: { phase: "down" },
    running: running && { epoch: running.epoch, version: running.version, hash: running.hash },
    held: running,
    isDoubted: false,
    originalHash: 0n,
    applying: undefined,
    pending: undefined,
    transfer: undefined,
    failures: 0,
    awaySinceMs: undefined,
    askedUntilMs: 0,
    nextAddress: 0,
    learned: [],
    lastReloadError: "",
    lastLinkError: "",
  };
}

/**
 * Every control plane that the node knows, in the order in which it tries them. Nodes begin at different ones, by their ids, so that a
 * fleet spreads over its control planes and finds its way back to them.
 */
export function knownAddresses({ nodeId, addresses }: NodeIdentity, { learned }: NodeState): readonly string[] {
  const first = Number(xxhash64(Buffer.from(nodeId)) % BigInt(addresses.length));
  const own = [...addresses.slice(first), ...addresses.slice(0, first)];
  return [...own, ...learned.filter((address) => !own.includes(address))];
}

export function still(state: NodeState): NodeStep {
  return { state, effects: [] };
}

/** Goes on from where `step` ended; the effects of both, in order. */
export function after(step: NodeStep, go: (state: NodeState) => NodeStep): NodeStep {
  const next = go(step.state);
  return { state: next.state, effects: [...step.effects, ...next.effects] };
}

/**
 * What a control plane is told of what runs. What is doubted has no hash, so that it is not level and no change builds on it; its
 * version stands, so that nothing older is taken.
 */
export function reported({ running, isDoubted }: NodeState): Stamp | undefined {
  return running !== undefined && isDoubted ? { ...running, hash: 0n } : running;
}

/** A heartbeat now, and the next one an interval later. */
export function beat(node: NodeIdentity, state: NodeState): NodeEffect[] {
  const { link, originalHash } = state;
  const running = reported(state);
  const isOriginal = link.phase === "live" && link.peer === "original";
  return [
    {
      type: "send heartbeat",
      running: isOriginal && running ? { ...running, epoch: "", hash: originalHash } : running,
    },
    { type: "set timer", timer: "heartbeat", delayMs: node.heartbeatIntervalMs },
  ];
}
