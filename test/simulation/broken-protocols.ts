import { FAILURES } from "../../src/core/failure.ts";
import type { FleetStep } from "../../src/sync/fleet-state.ts";
import type { NodeState, NodeStep } from "../../src/sync/node-state.ts";
import { decodeSnapshot } from "../../src/sync/snapshot-encoding.ts";
import { takeChunk } from "../../src/sync/transfer.ts";
import { PROTOCOL, type Protocol } from "./world.ts";

/** A node that takes whatever version comes. */
export const WITHOUT_VERSION_CHECK: Protocol = {
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

/** A node that takes a snapshot whatever its hashes say, as long as it can be read. */
export const WITHOUT_HASH_CHECK: Protocol = {
  ...PROTOCOL,
  stepNode(node, state, event) {
    const step = PROTOCOL.stepNode(node, state, event);
    if (event.type !== "received" || event.message.type !== "chunk" || !refusesIntegrity(step)) return step;
    const taken = takeChunk(state.transfer, event.message);
    if (taken.status !== "complete" || state.applying !== undefined) return step;
    const bytes = Buffer.concat(taken.transfer.chunks.map(({ data }) => data));
    try {
      const resources = decodeSnapshot(bytes, "json", bytes.byteLength);
      const incoming = { kind: "snapshot", snapshot: { ...event.message.stamp, resources } } as const;
      return { state: { ...state, transfer: undefined, applying: incoming }, effects: [{ type: "apply", incoming }] };
    } catch {
      return step;
    }
  },
};

/** A control plane that offers a configuration once and never again. */
export const WITHOUT_RESEND: Protocol = {
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

function refusesIntegrity({ effects }: NodeStep): boolean {
  const { code } = FAILURES.integrityMismatch;
  return effects.some(
    (effect) => effect.type === "send" && effect.message.type === "nack" && effect.message.reason === code,
  );
}
