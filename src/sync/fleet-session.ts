/**
 * The control plane's half of the protocol for one stream, as a pure function: no socket, clock, disk or chance in it.
 *
 * A hello passes the version gate, then the question whether its certificate may speak for the node, then is welcomed. What the
 * node says from then on, and every other event, ends in the one rule of fleet-offer.ts.
 *
 * An original data plane does not answer. What it was sent counts as delivered; a later heartbeat tells whether it took it.
 */
import { FAILURES, type FailureKind } from "../core/failure.ts";
import { alarmed, watchLag } from "./fleet-lag.ts";
import {
  backOff,
  beginOffer,
  goOn,
  isAnswerTo,
  isNewest,
  published,
  reconcile,
  settle,
  withhold,
} from "./fleet-offer.ts";
import {
  after,
  type ControlPlaneIdentity,
  clear,
  type FleetEffect,
  type FleetEvent,
  type FleetState,
  type FleetStep,
  type FleetTimer,
  isInSync,
  still,
} from "./fleet-state.ts";
import { checkHello } from "./hello-check.ts";
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
import { describeMismatch } from "./version-gate.ts";

/** Refusals that say nothing about the configuration, only about the way in which it came. */
const UNUSABLE: ReadonlySet<string> = new Set([FAILURES.deltaMismatch.code, FAILURES.integrityMismatch.code]);
/** A stream whose first message has not come by then is ended. */
const HELLO_LIMIT_MS = 10_000;

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
