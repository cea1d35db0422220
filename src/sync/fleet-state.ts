import type { FailureKind } from "../core/failure.ts";
import type { Ack, FromControlPlane, FromNode, Heartbeat, Hello, Nack, NodeStatus, Stamp } from "./messages.ts";
import type { Moment, Peer } from "./node-state.ts";
import type { Publication } from "./publication.ts";
import type { Compatibility } from "./version-gate.ts";

/** What a control plane is and does not change while it runs. */
export interface ControlPlaneIdentity {
  readonly controlPlaneId: string;
  readonly version: string;
  readonly compatibility: Compatibility;
  /** A node that is behind for so long raises an alarm. */
  readonly behindLimitMs: number;
  /** Prefixes of the RPC methods that it answers. */
  readonly rpcPrefixes: readonly string[];
  /** Where other control planes of its fleet are now. */
  readonly otherAddresses: () => readonly string[];
}

/** How the control plane stands with the node at the other end of one stream. */
type Phase =
  /** Nothing has come yet. */
  | "silent"
  /** The hello is in order; whether the certificate may speak for the node is being looked up. */
  | "authorising"
  | "live"
  | "ended";

/** A configuration on its way to the node. */
type Offer =
  /** Waits for its turn to be sent. */
  | { readonly phase: "queued" }
  | {
      readonly phase: "sending";
      readonly publication: Publication;
      readonly messages: readonly FromControlPlane[];
      readonly nextIndex: number;
    }
  /** Sent to its end; the node has not answered yet. */
  | { readonly phase: "sent"; readonly publication: Publication };

export interface FleetState {
  readonly phase: Phase;
  readonly hello: Hello | undefined;
  readonly peer: Peer;
  readonly newest: Publication | undefined;
  readonly offer: Offer | undefined;
  /** What the node last said that it runs. */
  readonly running: Stamp | undefined;
  readonly originalHash: bigint;
  /** Whether the next offer has to be a snapshot, since a delta did not lead where it should. */
  readonly wantsSnapshot: boolean;
  /** How often in a row it refused what is still the newest. */
  readonly refusals: number;
  /** Whether the next offer waits for the timer of that name. */
  readonly backingOff: boolean;
  readonly lastAck: Ack | undefined;
  /** The last refusal; undefined again once something was applied. */
  readonly lastNack: Nack | undefined;
  readonly status: NodeStatus | undefined;
  /** On the control plane's monotonic clock. */
  readonly lastHeardMs: number;
  /** Since when it has been behind and at this version, on the control plane's monotonic clock; undefined while it is level or ahead. */
  readonly behind: { readonly sinceMs: number; readonly version: number } | undefined;
  /** How often it was given a push for being behind; the first one is the alarm. */
  readonly pushes: number;
  /** Why the newest configuration cannot be sent to this node at all; empty when it can. */
  readonly obstacle: string;
}

/** Why a node is not let in, and when it may come again where that is known. */
export interface Refusal {
  readonly kind: FailureKind;
  readonly detail: string;
  readonly comeBackAfterMs?: number;
}

export type FleetTimer = "hello" | "offer" | "answer" | "behind";

export type FleetOccurrence =
  | { readonly type: "opened" }
  | { readonly type: "received"; readonly message: FromNode }
  /** With the newest configuration as the node's program knows it, where that is another than for others. */
  | { readonly type: "authorised"; readonly newest?: Publication | undefined }
  | ({ readonly type: "forbidden" } & Refusal)
  | { readonly type: "published"; readonly publication: Publication }
  /** It is this node's turn to be sent a configuration. */
  | { readonly type: "turn" }
  /** What was sent last has left. */
  | { readonly type: "sent" }
  | { readonly type: "timer"; readonly timer: FleetTimer }
  | { readonly type: "closed" };

export type FleetEvent = Moment & FleetOccurrence;

export type FleetEffect =
  | { readonly type: "authorise"; readonly hello: Hello }
  | { readonly type: "send"; readonly message: FromControlPlane }
  /** Ends the stream. */
  | { readonly type: "end"; readonly kind: FailureKind; readonly detail: string; readonly comeBackAfterMs?: number }
  | { readonly type: "ask for turn" }
  | { readonly type: "give up turn" }
  /** Replaces the timer of that name. */
  | { readonly type: "set timer"; readonly timer: FleetTimer; readonly delayMs: number }
  | { readonly type: "clear timer"; readonly timer: FleetTimer }
  /** A JSON-RPC frame came. */
  | { readonly type: "rpc"; readonly frame: string }
  /** Tells the node of a version that it is not sent. */
  | { readonly type: "announce"; readonly newest: Stamp; readonly obstacle: string }
  /** The node stays behind; or, after that was said, goes on. */
  | { readonly type: "alarm"; readonly isBehind: boolean }
  /** News about the node, for logs, metrics and whoever waits. */
  | { readonly type: "report"; readonly news: Ack | Nack | Heartbeat };

export interface FleetStep {
  readonly state: FleetState;
  readonly effects: readonly FleetEffect[];
}

export function initialFleetState(newest: Publication | undefined, atMs: number): FleetState {
  return {
    phase: "silent",
    hello: undefined,
    peer: "runway",
    newest,
    offer: undefined,
    running: undefined,
    originalHash: 0n,
    wantsSnapshot: false,
    refusals: 0,
    backingOff: false,
    lastAck: undefined,
    lastNack: undefined,
    status: undefined,
    lastHeardMs: atMs,
    behind: undefined,
    pushes: 0,
    obstacle: "",
  };
}

type Standing = Pick<FleetState, "peer" | "newest" | "running" | "originalHash">;

/** Whether the node runs the newest configuration, going by the hash of what it compiled. */
export function isInSync({ peer, newest, running, originalHash }: Standing): boolean {
  if (newest === undefined) return true;
  if (newest.obstacle !== "") return false;
  if (peer === "original") return newest.original().hash === originalHash;
  const { epoch, version, hash } = newest.stamp;
  return running !== undefined && running.epoch === epoch && running.version === version && running.hash === hash;
}

/** Whether the node runs a newer version of the epoch than this control plane knows: the control plane is the stale one. */
export function isAhead({ peer, newest, running }: Standing): boolean {
  if (peer === "original" || newest === undefined || running === undefined) return false;
  return running.epoch === newest.stamp.epoch && running.version > newest.stamp.version;
}

export function still(state: FleetState): FleetStep {
  return { state, effects: [] };
}

/** Goes on from where `step` ended; the effects of both, in order. */
export function after(step: FleetStep, go: (state: FleetState) => FleetStep): FleetStep {
  const next = go(step.state);
  return { state: next.state, effects: [...step.effects, ...next.effects] };
}

export function clear(...timers: readonly FleetTimer[]): FleetEffect[] {
  return timers.map((timer) => ({ type: "clear timer", timer }));
}
