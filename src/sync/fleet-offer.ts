/**
 * What a node is offered, and when: part of the pure session (fleet-session.ts).
 *
 * There is one rule: when nothing is on its way to the node and what it says it runs is not the newest configuration, offer the
 * newest. The rule is looked at again after each event, so a push that was missed, a heartbeat that shows another state and a
 * refusal all end in the same place. An offer first asks for its turn, since a control plane sends to few nodes at a time, and takes
 * what is newest when the turn comes. A refused configuration is offered again after a pause that doubles, for as long as it is the
 * newest: a node whose port was taken comes level by itself.
 *
 * A node that runs a newer version of the same epoch is left alone: then this control plane is the stale one.
 *
 * What is offered is the change against what the node runs where that is known, and else everything. A node that cannot use a
 * change, or ends elsewhere by it, is offered everything next.
 */
import { chooseEncoding } from "./configuration-encoding.ts";
import {
  after,
  clear,
  type FleetEffect,
  type FleetState,
  type FleetStep,
  isAhead,
  isInSync,
  still,
} from "./fleet-state.ts";
import { LIMITS } from "./limits.ts";
import { type Ack, DELTA_CAPABILITY, type FromControlPlane, type Hello } from "./messages.ts";
import type { Publication } from "./publication.ts";
import { offerDelayMs } from "./retry-delay.ts";

/** A node that has not answered an offer by then is offered the newest again. */
const ANSWER_LIMIT_MS = 300_000;

export function published(state: FleetState, newest: Publication): FleetStep {
  const next: FleetState = { ...state, newest, refusals: 0, backingOff: false, obstacle: "" };
  return reconcile(after({ state: next, effects: clear("offer") }, withhold));
}

/** What the node's program must not run is not offered; the node is told that it is there. */
export function withhold(state: FleetState): FleetStep {
  const { newest, phase } = state;
  if (newest === undefined || newest.obstacle === "" || phase !== "live") return still(state);
  const { stamp, obstacle } = newest;
  return { state: { ...state, obstacle }, effects: [{ type: "announce", newest: stamp, obstacle }] };
}

/** The one rule. */
export function reconcile(step: FleetStep): FleetStep {
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

export function beginOffer(state: FleetState): FleetStep {
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

export function goOn(state: FleetState, offer: FleetState["offer"] & { phase: "sending" }): FleetStep {
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

/** Nothing is on its way to the node any more. */
export function settle(state: FleetState): FleetStep {
  const { offer } = state;
  if (offer === undefined || offer.phase === "queued") return still(state);
  const held: FleetEffect[] = offer.phase === "sending" ? [{ type: "give up turn" }] : [];
  return { state: { ...state, offer: undefined }, effects: [...held, ...clear("answer")] };
}

/** What is the newest now was refused: a pause, longer each time. */
export function backOff(state: FleetState): FleetStep {
  const refusals = state.refusals + 1;
  return {
    state: { ...state, refusals, backingOff: true },
    effects: [{ type: "set timer", timer: "offer", delayMs: offerDelayMs(refusals) }],
  };
}

export function isAnswerTo({ offer }: FleetState, { epoch, version }: Pick<Ack, "epoch" | "version">): boolean {
  if (offer === undefined || offer.phase === "queued") return false;
  return offer.publication.stamp.epoch === epoch && offer.publication.stamp.version === version;
}

export function isNewest({ newest }: FleetState, { epoch, version }: Pick<Ack, "epoch" | "version">): boolean {
  return newest !== undefined && newest.stamp.epoch === epoch && newest.stamp.version === version;
}
