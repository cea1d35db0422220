import { xxhash64 } from "../../src/config/state-hash.ts";
import type { Chunk, DeltaUpdate, FromControlPlane } from "../../src/sync/messages.ts";
import { stepNode } from "../../src/sync/node-session.ts";
import type { NodeEvent, NodeIdentity, NodeState, NodeStep } from "../../src/sync/node-state.ts";

/** Messages that are kept decoded: a fleet is sent few different ones at a time. */
const MAX_KEPT = 64;

/**
 * What thousands of nodes in one process need not each do for themselves: they are sent the same bytes, and make the same
 * state of them. Each sequence of bytes is decoded once, and each change of a state is verified once, by the code of a real
 * node; the others take over what it made, and share its memory. In a real fleet every node has a core for that.
 */
export class SharedWork {
  readonly #decoded = new Map<bigint, FromControlPlane | undefined>();
  /** By the message that completed it. */
  readonly #steps = new WeakMap<FromControlPlane, { readonly before: NodeState; readonly step: NodeStep }>();

  /** The same message object for the same bytes. */
  decode(bytes: Uint8Array, decode: (bytes: Uint8Array) => FromControlPlane | undefined): FromControlPlane | undefined {
    const key = xxhash64(bytes);
    if (this.#decoded.has(key)) return this.#decoded.get(key);
    const message = decode(bytes);
    if (this.#decoded.size >= MAX_KEPT) this.#decoded.clear();
    this.#decoded.set(key, message);
    return message;
  }

  /** As `stepNode`, in the place of which an agent takes it. */
  readonly step = (node: NodeIdentity, state: NodeState, event: NodeEvent): NodeStep => {
    const message = event.type === "received" ? configurationIn(event.message) : undefined;
    if (message === undefined) return stepNode(node, state, event);
    const known = this.#steps.get(message);
    if (known !== undefined && standsAlike(known.before, state)) return takeOver(state, known.step);
    const step = stepNode(node, state, event);
    if (step.effects.length === 1 && step.effects[0]!.type === "apply")
      this.#steps.set(message, { before: state, step });
    return step;
  };
}

function configurationIn(message: FromControlPlane): Chunk | DeltaUpdate | undefined {
  return message.type === "delta" || message.type === "chunk" ? message : undefined;
}

/** Whether what a node makes of a configuration that begins to be applied is what the other one made of it. */
function standsAlike(one: NodeState, other: NodeState): boolean {
  const chunks = [one.transfer?.chunks ?? [], other.transfer?.chunks ?? []] as const;
  return (
    one.held === other.held &&
    other.applying === undefined &&
    other.link.phase === "live" &&
    chunks[0].length === chunks[1].length &&
    chunks[0].every((chunk, index) => chunk === chunks[1][index])
  );
}

function takeOver(state: NodeState, { state: { applying, transfer, pending }, effects }: NodeStep): NodeStep {
  return { state: { ...state, applying, transfer, pending }, effects };
}
