import { changeSnapshot } from "../../src/config/snapshot.ts";
import { FAILURES, type FailureKind } from "../../src/core/failure.ts";
import { decodeDelta, decodeSnapshot } from "../../src/sync/configuration-encoding.ts";
import { type FleetEffect, type FleetStep, isAhead } from "../../src/sync/fleet-state.ts";
import type { DeltaUpdate } from "../../src/sync/messages.ts";
import type { Incoming, NodeState, NodeStep } from "../../src/sync/node-state.ts";
import { takeChunk } from "../../src/sync/transfer.ts";
import { newestOf } from "./simulated-disk.ts";
import { PROTOCOL, type Protocol } from "./world.ts";

interface BrokenProtocol {
  readonly name: string;
  readonly protocol: Protocol;
  /** What the simulation is to say. */
  readonly violation: RegExp;
}

const RUNS_WHAT_NEVER_WAS = /was never committed as it/;
const STAYS_BEHIND = /did not come level/;

const withoutVersionCheck: Protocol = {
  ...PROTOCOL,
  stepNode(node, state, event) {
    if (event.type !== "received" || event.message.type !== "chunk") return PROTOCOL.stepNode(node, state, event);
    const { running, applying, pending } = state;
    const blind: NodeState = { ...state, running: undefined, applying: undefined, pending: undefined };
    const step = PROTOCOL.stepNode(node, blind, event);
    if (applying === undefined) return { ...step, state: { ...step.state, running } };
    const next = { ...step.state, running, applying, pending: step.state.applying ?? pending };
    return { state: next, effects: step.effects.filter(({ type }) => type !== "apply") };
  },
};

/** Takes a snapshot whatever its hashes say, as long as it can be read. */
const withoutHashCheck: Protocol = {
  ...PROTOCOL,
  stepNode(node, state, event) {
    const step = PROTOCOL.stepNode(node, state, event);
    if (event.type !== "received" || event.message.type !== "chunk" || !refuses(step, "integrityMismatch")) return step;
    const taken = takeChunk(state.transfer, event.message);
    if (taken.status !== "complete" || state.applying !== undefined) return step;
    const bytes = Buffer.concat(taken.transfer.chunks.map(({ data }) => data));
    try {
      const resources = decodeSnapshot(bytes, "json", bytes.byteLength);
      const incoming = { kind: "snapshot", snapshot: { ...event.message.stamp, resources }, delta: undefined } as const;
      return { state: { ...state, transfer: undefined, applying: incoming }, effects: [{ type: "apply", incoming }] };
    } catch {
      return step;
    }
  },
};

/** Takes a change that it should refuse for this reason, as long as it can be read. */
function takingDeltas(despite: FailureKind): Protocol {
  return {
    ...PROTOCOL,
    stepNode(node, state, event) {
      const step = PROTOCOL.stepNode(node, state, event);
      if (event.type !== "received" || event.message.type !== "delta" || !refuses(step, despite)) return step;
      const incoming = state.applying === undefined ? blindly(state, event.message) : undefined;
      if (incoming === undefined) return step;
      return { state: { ...state, applying: incoming }, effects: [{ type: "apply", incoming }] };
    },
  };
}

function blindly({ held }: NodeState, { stamp, data }: DeltaUpdate): Incoming | undefined {
  if (held === undefined) return undefined;
  try {
    const { snapshot, delta } = changeSnapshot(held, stamp.version, decodeDelta(data, "json", data.byteLength));
    return { kind: "snapshot", snapshot, delta };
  } catch {
    return undefined;
  }
}

/** Offers a configuration once and never again. */
const withoutResend: Protocol = {
  ...PROTOCOL,
  stepFleet(controlPlane, state, event) {
    const step: FleetStep = PROTOCOL.stepFleet(controlPlane, state, event);
    const isHeartbeat = event.type === "received" && event.message.type === "heartbeat";
    if (isHeartbeat) return { state: { ...step.state, offer: state.offer }, effects: [] };
    return {
      ...step,
      effects: step.effects.filter((effect) => effect.type !== "set timer" || effect.timer === "hello"),
    };
  },
};

const givingUpAtARefusal: Protocol = {
  ...PROTOCOL,
  stepFleet(controlPlane, state, event) {
    const step: FleetStep = PROTOCOL.stepFleet(controlPlane, state, event);
    return { ...step, effects: step.effects.filter((effect) => !setsTimer(effect, "offer")) };
  },
};

/** Takes for what a node runs what it was sent, whatever the node says. */
const believingWhatItSent: Protocol = {
  ...PROTOCOL,
  stepFleet(controlPlane, state, event) {
    const step: FleetStep = PROTOCOL.stepFleet(controlPlane, state, event);
    const { offer } = step.state;
    if (event.type === "sent" && offer?.phase === "sent")
      return { ...step, state: { ...step.state, running: offer.publication.stamp, offer: undefined } };
    if (event.type !== "received" || event.message.type === "hello") return step;
    return { state: { ...step.state, running: state.running, offer: state.offer }, effects: [] };
  },
};

/** Says that a configuration runs when it has come. */
const acknowledgingEarly: Protocol = {
  ...PROTOCOL,
  stepNode(node, state, event) {
    const step = PROTOCOL.stepNode(node, state, event);
    const apply = step.effects.find(({ type }) => type === "apply");
    if (apply?.type !== "apply" || apply.incoming.kind !== "snapshot") return step;
    const { epoch, version, hash } = apply.incoming.snapshot;
    const message = { type: "ack", epoch, version, hash, durationsMs: {} } as const;
    return { ...step, effects: [...step.effects, { type: "send", message }] };
  },
};

const givingUpToConnect: Protocol = {
  ...PROTOCOL,
  stepNode(node, state, event) {
    const step = PROTOCOL.stepNode(node, state, event);
    if (step.state.failures < 3) return step;
    return {
      ...step,
      effects: step.effects.filter((effect) => effect.type !== "set timer" || effect.timer !== "reconnect"),
    };
  },
};

const forgettingWhatItRuns: Protocol = {
  ...PROTOCOL,
  stepNode(node, state, event) {
    const known = event.type === "opened" ? { ...state, running: undefined, held: undefined } : state;
    return PROTOCOL.stepNode(node, known, event);
  },
};

const givingEverythingToEverybody: Protocol = {
  ...PROTOCOL,
  stepFleet(controlPlane, state, event) {
    return PROTOCOL.stepFleet(
      controlPlane,
      state,
      event.type === "authorised" ? { ...event, newest: undefined } : event,
    );
  },
};

/** Does not see that the node knows more than itself, and offers what it has. */
const withoutLookingAhead: Protocol = {
  ...PROTOCOL,
  stepFleet(controlPlane, state, event) {
    const hidden = state.running !== undefined && isAhead(state) ? { ...state, running: undefined } : state;
    const step: FleetStep = PROTOCOL.stepFleet(controlPlane, hidden, event);
    return step.state.running === undefined ? { ...step, state: { ...step.state, running: state.running } } : step;
  },
};

const comingBackAtOnce: Protocol = {
  ...PROTOCOL,
  stepNode(node, state, event) {
    return PROTOCOL.stepNode(node, state, event.type === "closed" ? { ...event, comeBackAfterMs: undefined } : event);
  },
};

/** Most JSON readers take a number for a double: 64 bits do not fit. */
const withRoundedHashes: Protocol = {
  ...PROTOCOL,
  wires: {
    ...PROTOCOL.wires,
    websocket: {
      ...PROTOCOL.wires.websocket,
      toFleet(message) {
        const read = PROTOCOL.wires.websocket.toFleet(message);
        if (read.type === "ack") return { ...read, hash: rounded(read.hash) };
        if (read.type !== "heartbeat" || read.running === undefined) return read;
        return { ...read, running: { ...read.running, hash: rounded(read.running.hash) } };
      },
    },
  },
};

function rounded(hash: bigint): bigint {
  return BigInt(Number(hash));
}

const takingAgainWhatEndedIt: Protocol = { ...PROTOCOL, remembersDeaths: false };

const startingOnTheNewest: Protocol = { ...PROTOCOL, chooseGeneration: newestOf };

const deafToTheLog: Protocol = { ...PROTOCOL, followsLog: false };

/** Each has one defect that people make. */
export const BROKEN_PROTOCOLS: readonly BrokenProtocol[] = [
  {
    name: "a node that does not compare versions",
    protocol: withoutVersionCheck,
    violation: /went from version \d+ back to \d+/,
  },
  { name: "a node that does not compare hashes", protocol: withoutHashCheck, violation: RUNS_WHAT_NEVER_WAS },
  {
    name: "a node that applies a change to whatever it runs",
    protocol: takingDeltas("deltaMismatch"),
    violation: RUNS_WHAT_NEVER_WAS,
  },
  {
    name: "a node that does not compare hashes after a change",
    protocol: takingDeltas("integrityMismatch"),
    violation: RUNS_WHAT_NEVER_WAS,
  },
  {
    name: "a node that acknowledges what it has not applied",
    protocol: acknowledgingEarly,
    violation: /acknowledges what it does not run/,
  },
  {
    name: "a node that forgets what it runs",
    protocol: forgettingWhatItRuns,
    violation: /says that it runs what was never applied/,
  },
  { name: "a node that gives up to connect", protocol: givingUpToConnect, violation: STAYS_BEHIND },
  { name: "a control plane that does not offer again", protocol: withoutResend, violation: STAYS_BEHIND },
  { name: "a control plane that gives up at a refusal", protocol: givingUpAtARefusal, violation: STAYS_BEHIND },
  { name: "a control plane that believes what it sent", protocol: believingWhatItSent, violation: STAYS_BEHIND },
  {
    name: "a control plane that offers an older version to a node that came from another",
    protocol: withoutLookingAhead,
    violation: /is offered to a node that said it runs/,
  },
  {
    name: "a control plane that does not follow what the other commits",
    protocol: deafToTheLog,
    violation: STAYS_BEHIND,
  },
  {
    name: "a control plane that gives an older program what it does not know",
    protocol: givingEverythingToEverybody,
    violation: RUNS_WHAT_NEVER_WAS,
  },
  {
    name: "a node that comes back before it was asked to",
    protocol: comingBackAtOnce,
    violation: /before it was asked to/,
  },
  {
    name: "a node that starts again and again on what brought it down",
    protocol: startingOnTheNewest,
    violation: /brings n-\d down for the 6th time/,
  },
  {
    name: "a node that takes again what brought it down",
    protocol: takingAgainWhatEndedIt,
    violation: /brings n-\d down for the 6th time/,
  },
  { name: "a codec that rounds hashes", protocol: withRoundedHashes, violation: STAYS_BEHIND },
];

function refuses({ effects }: NodeStep, kind: FailureKind): boolean {
  const { code } = FAILURES[kind];
  return effects.some(
    (effect) => effect.type === "send" && effect.message.type === "nack" && effect.message.reason === code,
  );
}

function setsTimer(effect: FleetEffect, timer: string): boolean {
  return effect.type === "set timer" && effect.timer === timer;
}
