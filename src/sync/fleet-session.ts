/**
 * The control plane's half of the protocol for one stream, as a pure function: no socket, clock, disk or chance in it.
 *
 * A hello passes the version gate, then the question whether its certificate may speak for the node, then is welcomed.
 * From then on there is one rule: when nothing is on its way to the node and what it says it runs is not the newest
 * configuration, offer the newest. The rule is looked at again after each event, so a push that was missed, a heartbeat
 * that shows another state and a refusal all end in the same place. An offer first asks for its turn, since a control
 * plane sends to few nodes at a time, and takes what is newest when the turn comes. A refused configuration is offered
 * again after a pause that doubles, for as long as it is the newest: a node whose port was taken comes level by itself.
 *
 * A node that runs a newer version of the same epoch is left alone: then this control plane is the stale one.
 *
 * What is offered is the change against what the node runs where that is known, and else everything. A node that cannot use a
 * change, or ends elsewhere by it, is offered everything next.
 *
 * An original data plane does not answer. What it was sent counts as delivered; a later heartbeat tells whether it took it.
 */
import { FAILURES, type FailureKind } from "../core/failure.ts";
import { chooseEncoding } from "./configuration-encoding.ts";
import { alarmed, watchLag } from "./fleet-lag.ts";
import {
  type ControlPlaneIdentity,
  type FleetEffect,
  type FleetEvent,
  type FleetState,
  type FleetStep,
  type FleetTimer,
  isAhead,
  isInSync,
} from "./fleet-state.ts";
import { checkHello } from "./hello-check.ts";
import { LIMITS } from "./limits.ts";
import {
  type Ack,
  DELTA_CAPABILITY,
  type FromControlPlane,
  type FromNode,
  type Heartbeat,
  type Hello,
  type Nack,
  SNAPSHOT_CAPABILITY,
} from "./messages.ts";
import type { Publication } from "./publication.ts";
import { offerDelayMs } from "./retry-delay.ts";
import { describeMismatch } from "./version-gate.ts";

/** Refusals that say nothing about the configuration, only about the way in which it came. */
const UNUSABLE: ReadonlySet<string> = new Set([FAILURES.deltaMismatch.code, FAILURES.integrityMismatch.code]);
/** A stream whose first message has not come by then is ended. */
const HELLO_LIMIT_MS = 10_000;
/** A node that has not answered an offer by then is offered the newest again. */
const ANSWER_LIMIT_MS = 300_000;

export function stepFleet(cp: ControlPlaneIdentity, state: FleetState, event: FleetEvent): FleetStep {
  if (state.phase === "ended") return still(state);
  return after(react(cp, state, event), (next) => watchLag(cp, next, event.atMs));
}

function react(cp: ControlPlaneIdentity, state: FleetState, event: FleetEvent): FleetStep {
  switch (event.type) {
    case "opened":
      return { state, effects: [{ type: "set timer", timer: "hello", delayMs: HELLO_LIMIT_MS }] };
    case "received":
      return received(cp, { ...state, lastHeardMs: event.atMs }, event.message);
    case "authorised":
      return state.phase === "authorising" ? authorised(cp, state, event.newest) : still(state);
    case "forbidden":
      return end(state, event.kind, event.detail, event.comeBackAfterMs);
    case "published":
      return published(state, event.publication);
    case "turn":
      return state.offer?.phase === "queued" ? beginOffer(state) : { state, effects: [{ type: "give up turn" }] };
    case "sent":
      return state.offer?.phase === "sending" ? goOn(state, state.offer) : still(state);
    case "timer":
      return timerFired(cp, state, event.timer);
    case "closed":
      return { state: closed(state), effects: giveUpEverything(state) };
  }
}

// ---- hello and welcome ------------------------------------------------------------------------------------------------

function received(cp: ControlPlaneIdentity, state: FleetState, message: FromNode): FleetStep {
  if (state.phase === "silent") return greeted(cp, state, message);
  if (state.phase !== "live") return still(state);
  if (state.peer === "original" && message.type !== "hello" && message.type !== "heartbeat") return still(state);
  switch (message.type) {
    case "hello":
      return end(state, "protocolViolation", "a second ConnectRequest came on the stream");
    case "heartbeat":
      return reconcile(heard(state, message));
    case "ack":
      return reconcile(acknowledged(state, message));
    case "nack":
      return reconcile(refused(state, message));
    case "rpc":
      return { state, effects: [{ type: "rpc", frame: message.frame }] };
  }
}

function greeted(cp: ControlPlaneIdentity, state: FleetState, message: FromNode): FleetStep {
  if (message.type !== "hello") return end(state, "protocolViolation", "first message must be ConnectRequest");
  const known: FleetState = { ...state, hello: message };
  const wrong = checkHello(message);
  if (wrong !== undefined) return end(known, "protocolViolation", wrong);
  const mismatch = versionMismatch(cp, message);
  if (mismatch !== undefined) return end(known, "versionMismatch", mismatch);
  return {
    state: { ...known, phase: "authorising" },
    effects: [...clear("hello"), { type: "authorise", hello: message }],
  };
}

/** An original data plane has no words for what it does not know, and may only be of the very same minor version. */
function versionMismatch({ version, compatibility }: ControlPlaneIdentity, hello: Hello): string | undefined {
  const isOriginal = !hello.capabilities.includes(SNAPSHOT_CAPABILITY);
  return describeMismatch(version, hello.version, isOriginal ? "patch" : compatibility);
}

function authorised(cp: ControlPlaneIdentity, state: FleetState, newest = state.newest): FleetStep {
  const step = welcomed(cp, { ...state, newest });
  return reconcile(newest === undefined ? step : after(step, withhold));
}

function welcomed(cp: ControlPlaneIdentity, state: FleetState): FleetStep {
  const hello = state.hello!;
  const { running, originalHash } = hello;
  const live: FleetState = { ...state, phase: "live", running, originalHash };
  if (!hello.capabilities.includes(SNAPSHOT_CAPABILITY)) return still({ ...live, peer: "original" });
  const welcome: FromControlPlane = {
    type: "welcome",
    newest: state.newest?.stamp,
    capabilities: [SNAPSHOT_CAPABILITY, DELTA_CAPABILITY, ...cp.rpcPrefixes],
    controlPlaneId: cp.controlPlaneId,
    heartbeatIntervalMs: hello.heartbeatIntervalMs,
    addresses: cp.otherAddresses(),
  };
  return { state: live, effects: [{ type: "send", message: welcome }] };
}

// ---- what the node says -----------------------------------------------------------------------------------------------

function heard(state: FleetState, heartbeat: Heartbeat): FleetStep {
  const { status } = heartbeat;
  // A node that waited long for its welcome took us for an original control plane, and names no epoch to those.
  const isMistaken = state.peer === "runway" && heartbeat.running?.epoch === "";
  const running = isMistaken ? state.running : heartbeat.running;
  const originalHash = state.peer === "original" ? (running?.hash ?? 0n) : state.originalHash;
  return { state: { ...state, running, originalHash, status }, effects: [{ type: "report", news: heartbeat }] };
}

function acknowledged(state: FleetState, ack: Ack): FleetStep {
  const { epoch, version, hash } = ack;
  const running = { epoch, version, hash };
  const status = state.status && { ...state.status, lastReloadError: "", lastSuccessfulVersion: version };
  const next: FleetState = { ...state, running, status, lastAck: ack, lastNack: undefined };
  const isLevel = isInSync(next);
  const report: FleetEffect = { type: "report", news: ack };
  if (isLevel) return after({ state: { ...next, refusals: 0, wantsSnapshot: false }, effects: [report] }, settle);
  const answersOffer = isAnswerTo(state, ack);
  const step: FleetStep = { state: next, effects: [report] };
  if (!answersOffer) return step;
  // It says applied, and what it compiled is not what was offered: as good as a refusal.
  const doubted: FleetStep = { ...step, state: { ...next, wantsSnapshot: true } };
  return after(after(doubted, settle), isNewest(state, ack) ? backOff : still);
}

function refused(state: FleetState, nack: Nack): FleetStep {
  const next: FleetState = { ...state, running: nack.running, lastNack: nack };
  const step: FleetStep = { state: next, effects: [{ type: "report", news: nack }] };
  if (!isAnswerTo(state, nack)) return step;
  if (UNUSABLE.has(nack.reason) && !state.wantsSnapshot)
    return after({ ...step, state: { ...next, wantsSnapshot: true } }, settle);
  return after(after(step, settle), isNewest(state, nack) ? backOff : still);
}

function isAnswerTo({ offer }: FleetState, { epoch, version }: Pick<Ack, "epoch" | "version">): boolean {
  if (offer === undefined || offer.phase === "queued") return false;
  return offer.publication.stamp.epoch === epoch && offer.publication.stamp.version === version;
}

function isNewest({ newest }: FleetState, { epoch, version }: Pick<Ack, "epoch" | "version">): boolean {
  return newest !== undefined && newest.stamp.epoch === epoch && newest.stamp.version === version;
}

// ---- offering ---------------------------------------------------------------------------------------------------------

function published(state: FleetState, newest: Publication): FleetStep {
  const next: FleetState = { ...state, newest, refusals: 0, backingOff: false, obstacle: "" };
  return reconcile(after({ state: next, effects: clear("offer") }, withhold));
}

/** What the node's program must not run is not offered; the node is told that it is there. */
function withhold(state: FleetState): FleetStep {
  const { newest, phase } = state;
  if (newest === undefined || newest.obstacle === "" || phase !== "live") return still(state);
  const { stamp, obstacle } = newest;
  return { state: { ...state, obstacle }, effects: [{ type: "announce", newest: stamp, obstacle }] };
}

/** The one rule. */
function reconcile(step: FleetStep): FleetStep {
  const { phase, newest, offer, backingOff, obstacle } = step.state;
  if (phase !== "live" || newest === undefined || offer !== undefined || backingOff || obstacle !== "") return step;
  if (isInSync(step.state) || isAhead(step.state)) return step;
  const state: FleetState = { ...step.state, offer: { phase: "queued" } };
  return { state, effects: [...step.effects, { type: "ask for turn" }] };
}

/** Why the node cannot be sent this at all. */
function obstacleTo(state: FleetState, messages: readonly FromControlPlane[]): string {
  const [first] = messages;
  if (first?.type === "original" && first.yaml.byteLength > LIMITS.originalYamlBytes)
    return `the configuration has ${first.yaml.byteLength} bytes as YAML, an original data plane takes ${LIMITS.originalYamlBytes}`;
  if (state.peer === "runway" && messages.length > LIMITS.chunks)
    return `the configuration has ${messages.length} chunks, a node takes ${LIMITS.chunks}`;
  return "";
}

function beginOffer(state: FleetState): FleetStep {
  const publication = state.newest!;
  const messages = state.obstacle === "" ? messagesOf(state, publication) : [];
  const obstacle = state.obstacle === "" ? obstacleTo(state, messages) : state.obstacle;
  const idle: FleetState = { ...state, offer: undefined, obstacle };
  if (idle.obstacle !== "" || isInSync(idle) || isAhead(idle))
    return { state: idle, effects: [{ type: "give up turn" }] };
  const index = resumeIndex(state.hello!, messages);
  // A partial transfer is gone on with once.
  const hello: Hello = state.hello!.partial === undefined ? state.hello! : { ...state.hello!, partial: undefined };
  return {
    state: { ...idle, hello, offer: { phase: "sending", publication, messages, nextIndex: index + 1 } },
    effects: [{ type: "send", message: messages[index]! }],
  };
}

function goOn(state: FleetState, offer: FleetState["offer"] & { phase: "sending" }): FleetStep {
  const { publication, messages, nextIndex } = offer;
  const message = messages[nextIndex];
  if (message !== undefined)
    return {
      state: { ...state, offer: { ...offer, nextIndex: nextIndex + 1 } },
      effects: [{ type: "send", message }],
    };
  const turn: FleetEffect = { type: "give up turn" };
  if (state.peer === "original") {
    const delivered: FleetStep = { state: { ...state, offer: undefined }, effects: [turn] };
    return reconcile(state.newest === publication ? after(delivered, backOff) : delivered);
  }
  return {
    state: { ...state, offer: { phase: "sent", publication } },
    effects: [turn, { type: "set timer", timer: "answer", delayMs: ANSWER_LIMIT_MS }],
  };
}

function messagesOf(state: FleetState, publication: Publication): readonly FromControlPlane[] {
  if (state.peer === "original") return [publication.original()];
  const { encodings, capabilities, partial } = state.hello!;
  const encoding = chooseEncoding(encodings);
  const takesDelta = capabilities.includes(DELTA_CAPABILITY) && !state.wantsSnapshot && partial === undefined;
  const delta = takesDelta && state.running !== undefined ? publication.delta(state.running, encoding) : undefined;
  return delta === undefined ? publication.chunks(encoding) : [delta];
}

function resumeIndex({ partial }: Hello, messages: readonly FromControlPlane[]): number {
  const first = messages[0];
  if (partial === undefined || first?.type !== "chunk") return 0;
  const isSame =
    partial.epoch === first.stamp.epoch &&
    partial.version === first.stamp.version &&
    partial.checksum === first.checksum;
  return isSame && partial.nextIndex < first.count ? partial.nextIndex : 0;
}

function timerFired(cp: ControlPlaneIdentity, state: FleetState, timer: FleetTimer): FleetStep {
  switch (timer) {
    case "behind":
      return reconcile(alarmed(cp, state));
    case "hello":
      return state.phase === "silent"
        ? end(state, "protocolViolation", "no ConnectRequest came in time")
        : still(state);
    case "offer": {
      const rested = still({ ...state, backingOff: false });
      // An original data plane loads anew whatever it is sent: only its next heartbeat tells whether that is needed.
      return state.peer === "original" ? rested : reconcile(rested);
    }
    case "answer":
      return reconcile(after(settle(state), backOff));
  }
}

/** Nothing is on its way to the node any more. */
function settle(state: FleetState): FleetStep {
  const { offer } = state;
  if (offer === undefined || offer.phase === "queued") return still(state);
  const held: FleetEffect[] = offer.phase === "sending" ? [{ type: "give up turn" }] : [];
  return { state: { ...state, offer: undefined }, effects: [...held, ...clear("answer")] };
}

/** What is the newest now was refused: a pause, longer each time. */
function backOff(state: FleetState): FleetStep {
  const refusals = state.refusals + 1;
  return {
    state: { ...state, refusals, backingOff: true },
    effects: [{ type: "set timer", timer: "offer", delayMs: offerDelayMs(refusals) }],
  };
}

// ---- the end ----------------------------------------------------------------------------------------------------------

function end(state: FleetState, kind: FailureKind, detail: string, comeBackAfterMs?: number): FleetStep {
  const comeBack = comeBackAfterMs === undefined ? {} : { comeBackAfterMs };
  return { state: closed(state), effects: [...giveUpEverything(state), { type: "end", kind, detail, ...comeBack }] };
}

/** What stays known of a node that left; lets go of configurations, which are large. */
function closed(state: FleetState): FleetState {
  return { ...state, phase: "ended", newest: undefined, offer: undefined, behind: undefined, pushes: 0 };
}

function giveUpEverything({ offer }: FleetState): FleetEffect[] {
  const holdsTurn = offer?.phase === "queued" || offer?.phase === "sending";
  return [...clear("hello", "offer", "answer", "behind"), ...(holdsTurn ? [{ type: "give up turn" } as const] : [])];
}

function clear(...timers: readonly FleetTimer[]): FleetEffect[] {
  return timers.map((timer) => ({ type: "clear timer", timer }));
}

function still(state: FleetState): FleetStep {
  return { state, effects: [] };
}

function after(step: FleetStep, go: (state: FleetState) => FleetStep): FleetStep {
  const next = go(step.state);
  return { state: next.state, effects: [...step.effects, ...next.effects] };
}
