/**
 * What a node does with the configuration that it is sent: part of the pure session (node-session.ts).
 *
 * Configuration is taken in three steps. A transfer of chunks is collected (transfer.ts); what is complete and has the hashes
 * that it was announced with is offered; what is offered and not older than anything this node runs, applies or waits to
 * apply in the same epoch is applied. Every complete offer of a control plane of ours is answered, so it never waits in
 * vain. One configuration is applied at a time and at most one waits, the newest. Losing the link loses none of that.
 */
import { xxhash64 } from "../config/state-hash.ts";
import { FAILURES, type FailureKind } from "../core/failure.ts";
import { readDelta } from "./delta-offer.ts";
import type { Ack, Chunk, DeltaUpdate, Nack, OriginalUpdate, Stamp } from "./messages.ts";
import {
  type ApplyOutcome,
  after,
  beat,
  type Incoming,
  type NodeEffect,
  type NodeIdentity,
  type NodeState,
  type NodeStep,
  reported,
  still,
} from "./node-state.ts";
import { takeChunk, verifySnapshot } from "./transfer.ts";

export function collect(node: NodeIdentity, state: NodeState, chunk: Chunk): NodeStep {
  const step = takeChunk(state.transfer, chunk);
  if (step.status === "open") return still({ ...state, transfer: step.transfer });
  const done: NodeState = { ...state, transfer: undefined };
  if (step.status === "broken") return refuse(node, done, chunk.stamp, "protocolViolation", step.reason);
  if (isOlder(state, chunk.stamp))
    return refuse(node, done, chunk.stamp, "staleVersion", `this node already has a newer version of the epoch`);
  const verified = verifySnapshot(step.transfer);
  if (!verified.ok) return refuse(node, done, chunk.stamp, "integrityMismatch", verified.reason);
  return offered(done, { kind: "snapshot", snapshot: verified.snapshot, delta: undefined });
}

/** A change builds on what runs, so one that comes while something is being applied comes too early. */
export function takeDelta(node: NodeIdentity, state: NodeState, update: DeltaUpdate): NodeStep {
  if (isOlder(state, update.stamp))
    return refuse(node, state, update.stamp, "staleVersion", "this node already has a newer version of the epoch");
  const read = readDelta(update, state.applying === undefined ? state.held : undefined);
  if (!read.ok) return refuse(node, state, update.stamp, read.kind, read.reason);
  return offered(state, { kind: "snapshot", snapshot: read.snapshot, delta: read.delta });
}

/** An original control plane has no epoch and counts anew at each start, so its versions are not compared. */
export function takeOriginal(node: NodeIdentity, state: NodeState, update: OriginalUpdate): NodeStep {
  if (xxhash64(update.yaml) !== update.hash) {
    const text = "the configuration received does not have the hash it was announced with";
    return { state: { ...state, lastReloadError: text }, effects: beat(node, state) };
  }
  if (update.hash === state.originalHash && state.applying === undefined)
    return still({ ...state, running: state.running && { ...state.running, version: update.version } });
  const yaml = Buffer.from(update.yaml).toString("utf8");
  const { version, hash: yamlHash, source } = update;
  return offered(state, { kind: "original", yaml, version, yamlHash, source });
}

function offered(state: NodeState, incoming: Incoming): NodeStep {
  if (state.applying === undefined) {
    const stamp = stampOf(incoming);
    if (stamp !== undefined && sameStamp(stamp, state.running) && !state.isDoubted)
      return { state, effects: answer(state, { type: "ack", ...stamp, durationsMs: {} }) };
    return { state: { ...state, applying: incoming }, effects: [{ type: "apply", incoming }] };
  }
  const isBeingApplied = sameConfiguration(state.applying, incoming);
  return still({ ...state, pending: isBeingApplied ? undefined : incoming });
}

export function applied(node: NodeIdentity, state: NodeState, outcome: ApplyOutcome): NodeStep {
  const { applying, pending } = state;
  if (applying === undefined) return still(state);
  const idle: NodeState = { ...state, applying: undefined, pending: undefined };
  const step = outcome.ok ? succeeded(node, idle, applying, outcome) : failed(node, idle, applying, outcome);
  return pending === undefined ? step : after(step, (next) => offered(next, pending));
}

function succeeded(
  node: NodeIdentity,
  state: NodeState,
  incoming: Incoming,
  outcome: ApplyOutcome & { ok: true },
): NodeStep {
  const stamp = stampOf(incoming);
  const running =
    incoming.kind === "snapshot"
      ? { ...stamp!, hash: outcome.stateHash }
      : { epoch: "", version: incoming.version, hash: outcome.stateHash };
  const originalHash = incoming.kind === "snapshot" ? 0n : incoming.yamlHash;
  const held = incoming.kind === "snapshot" ? incoming.snapshot : undefined;
  // A change of what is doubted proves nothing.
  const isDoubted = state.isDoubted && incoming.kind === "snapshot" && incoming.delta !== undefined;
  const next: NodeState = { ...state, running, held, isDoubted, originalHash, lastReloadError: "" };
  const ack = { type: "ack", ...running, durationsMs: outcome.durationsMs } as const;
  // An ack says all that is new: a heartbeat besides it would double what a fleet sends for each change.
  if (stamp !== undefined && !isDoubted && heardByOurs(next))
    return { state: next, effects: [{ type: "send", message: ack }] };
  return { state: next, effects: tell(node, next, stamp === undefined ? undefined : ack) };
}

function failed(
  node: NodeIdentity,
  state: NodeState,
  incoming: Incoming,
  { reason, problems }: ApplyOutcome & { ok: false },
): NodeStep {
  const first = problems[0];
  const summary = first === undefined ? reason : `${first.path === "" ? "" : `${first.path}: `}${first.message}`;
  const next: NodeState = { ...state, lastReloadError: summary };
  const stamp = stampOf(incoming);
  const nack = stamp && ({ type: "nack", ...named(stamp), reason, problems, running: reported(state) } as const);
  return { state: next, effects: tell(node, next, nack) };
}

/** Refuses what was offered before it is applied. */
function refuse(node: NodeIdentity, state: NodeState, stamp: Stamp, kind: FailureKind, message: string): NodeStep {
  const isFault = kind !== "staleVersion" && kind !== "deltaMismatch";
  const next: NodeState = isFault ? { ...state, lastReloadError: message } : state;
  const reason = FAILURES[kind].code;
  const problems = [{ path: "", message }];
  const nack = { type: "nack", ...named(stamp), reason, problems, running: reported(state) } as const;
  return { state: next, effects: tell(node, next, nack) };
}

/** Whether the node has, or is about to have, a newer version of the same epoch: what a paused control plane must not undo. */
function isOlder(state: NodeState, { epoch, version }: Stamp): boolean {
  const mine = [state.running, state.applying && stampOf(state.applying), state.pending && stampOf(state.pending)];
  return mine.some((stamp) => stamp !== undefined && stamp.epoch === epoch && version < stamp.version);
}

/** The answer, where there is a control plane of ours to hear it, and a heartbeat with the news. */
function tell(node: NodeIdentity, state: NodeState, message: Ack | Nack | undefined): NodeEffect[] {
  if (state.link.phase !== "live") return [];
  return [...(message === undefined ? [] : answer(state, message)), ...beat(node, state)];
}

function answer(state: NodeState, message: Ack | Nack): NodeEffect[] {
  return heardByOurs(state) ? [{ type: "send", message }] : [];
}

function heardByOurs({ link }: NodeState): boolean {
  return link.phase === "live" && link.peer === "runway";
}

/** Undefined for a configuration of an original control plane. */
function stampOf(incoming: Incoming): Stamp | undefined {
  if (incoming.kind === "original") return undefined;
  const { epoch, version, hash } = incoming.snapshot;
  return { epoch, version, hash };
}

function named({ epoch, version }: Stamp): Pick<Stamp, "epoch" | "version"> {
  return { epoch, version };
}

function sameStamp(one: Stamp, other: Stamp | undefined): boolean {
  return other !== undefined && one.epoch === other.epoch && one.version === other.version && one.hash === other.hash;
}

function sameConfiguration(one: Incoming, other: Incoming): boolean {
  if (one.kind === "snapshot") return other.kind === "snapshot" && sameStamp(one.snapshot, other.snapshot);
  return other.kind === "original" && one.yamlHash === other.yamlHash;
}
