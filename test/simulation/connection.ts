import type { Transport } from "../../src/sync/connection.ts";
import type { FromControlPlane, FromNode } from "../../src/sync/messages.ts";
import type { Wire } from "./wire.ts";
import type { World } from "./world.ts";

/** One end of a connection, as its owner is told of it. */
export interface End<Message> {
  received(message: Message): void;
  /** @param comeBackAfterMs what the other end asked for with its farewell, where that got through */
  closed(comeBackAfterMs?: number): void;
}

/**
 * A simulated connection: each direction delivers in order, after delays of any length. When it is cut, what is on its way
 * is lost, and each end learns of the cut at a time of its own, so that an old connection can still speak, at one end, when
 * a new one is open.
 */
export class Connection {
  readonly #world: World;
  readonly #wire: Wire;
  #isCut = false;
  readonly #lastArrivalMs = { node: 0, fleet: 0 };
  readonly #ends: { node: End<FromControlPlane> | undefined; fleet: End<FromNode> | undefined };

  constructor(world: World, transport: Transport, node: End<FromControlPlane>, fleet: End<FromNode>) {
    this.#world = world;
    this.#wire = world.protocol.wires[transport];
    this.#ends = { node, fleet };
  }

  toFleet(message: FromNode): void {
    this.#deliver("fleet", () => this.#ends.fleet?.received(this.#world.tamper(this.#wire.toFleet(message))));
  }

  toNode(message: FromControlPlane): void {
    this.#deliver("node", () => this.#ends.node?.received(this.#world.tamper(this.#wire.toNode(message))));
  }

  /** The node's process closes it, or dies: the other end learns of it sooner or later. */
  closeByNode(): void {
    this.#ends.node = undefined;
    this.#cut();
  }

  closeByFleet(comeBackAfterMs?: number): void {
    this.#ends.fleet = undefined;
    this.#cut(comeBackAfterMs);
  }

  cut(): void {
    this.#world.tally.cuts += 1;
    this.#cut();
  }

  #cut(comeBackAfterMs?: number): void {
    if (this.#isCut) return;
    this.#isCut = true;
    const { random, time } = this.#world;
    for (const side of ["node", "fleet"] as const)
      time.after(random.chance(0.7) ? random.between(0, 50) : random.between(0, 20_000), () => {
        const end = this.#ends[side];
        this.#ends[side] = undefined;
        end?.closed(comeBackAfterMs);
      });
  }

  #deliver(side: "node" | "fleet", arrive: () => void): void {
    const { random, time, isFaulty } = this.#world;
    // What was sent, by an end that did not know yet, after the cut: some of it got through before.
    if (this.#isCut && !random.chance(0.3)) return;
    const delayMs = isFaulty && random.chance(0.1) ? random.between(0, 3_000) : random.between(1, 40);
    const atMs = Math.max(this.#lastArrivalMs[side], time.nowMs + delayMs);
    this.#lastArrivalMs[side] = atMs;
    const wasCut = this.#isCut;
    time.at(atMs, () => {
      if (this.#isCut && !wasCut && random.chance(0.5)) return;
      arrive();
    });
    if (!this.#isCut && this.#world.fault(0.03)) this.cut();
  }
}
