import type { FleetStream } from "./fleet-stream.ts";
import type { Stamp } from "./messages.ts";
import type { IdentityLedger } from "./node-identity.ts";
import { type NodeView, viewOf, viewOfAbsent } from "./node-view.ts";

/**
 * Every node that was let in, by its id and with its last stream, and who owns the id. A node that left stays, as offline, until it is
 * forgotten or makes room for another.
 */
export class NodeRoster {
  readonly #ledger: IdentityLedger;
  /** Connected and offline ones together. */
  readonly maxNodes: number;
  /** In the order of their last arrival. Undefined: known from before this control plane started. */
  readonly #nodes = new Map<string, FleetStream | undefined>();

  constructor(ledger: IdentityLedger, maxNodes: number) {
    this.#ledger = ledger;
    this.maxNodes = maxNodes;
    for (const nodeId of ledger.nodeIds()) this.#nodes.set(nodeId, undefined);
  }

  ownerOf(nodeId: string): string | undefined {
    return this.#ledger.ownerOf(nodeId);
  }

  /** The last stream of the node. */
  streamOf(nodeId: string): FleetStream | undefined {
    return this.#nodes.get(nodeId);
  }

  live(): FleetStream[] {
    return [...this.#nodes.values()].filter((stream) => stream?.isOpen === true) as FleetStream[];
  }

  /** Whether the node is known, or there is room for it once the one that is offline longest has been forgotten. */
  hasRoomFor(nodeId: string): boolean {
    return this.#nodes.has(nodeId) || this.#nodes.size < this.maxNodes || this.#longestOffline() !== undefined;
  }

  /** @returns the node that had to make room */
  enter(nodeId: string, owner: string, stream: FleetStream): string | undefined {
    const isFull = !this.#nodes.has(nodeId) && this.#nodes.size >= this.maxNodes;
    const forgotten = isFull ? this.#longestOffline() : undefined;
    if (forgotten !== undefined) this.forget(forgotten);
    this.#ledger.claim(nodeId, owner);
    this.#nodes.delete(nodeId);
    this.#nodes.set(nodeId, stream);
    return forgotten;
  }

  /** Its id is free again. @returns whether it was known */
  forget(nodeId: string): boolean {
    const isKnown = this.#nodes.delete(nodeId) || this.#ledger.ownerOf(nodeId) !== undefined;
    if (isKnown) this.#ledger.forget(nodeId);
    return isKnown;
  }

  views(newest: Stamp | undefined): NodeView[] {
    return [...this.#nodes].map(([nodeId, stream]) =>
      stream === undefined ? viewOfAbsent(nodeId, newest) : viewOf(stream, newest),
    );
  }

  #longestOffline(): string | undefined {
    for (const [nodeId, stream] of this.#nodes) if (stream?.isOpen !== true) return nodeId;
    return undefined;
  }
}
