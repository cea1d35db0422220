import type { Clock } from "../core/clock.ts";

const MAX_TURN_MS = 5_000;

/**
 * Admission to sending configurations: at most `limit` streams send at one time, the others wait in the order in which
 * they asked. The queue is as long as there are streams, each waiting at most once. When a whole fleet reconnects, memory
 * for bytes on their way stays bounded and the control plane has time for everything else in between.
 *
 * A turn that lasts longer than five seconds no longer counts: its node is slow, holds one chunk of memory at most, and
 * must not keep the others waiting.
 */
export class SendTurns {
  readonly #limit: number;
  readonly #clock: Clock;
  /** Each with what cancels the end of its turn. */
  readonly #sending = new Map<object, () => void>();
  readonly #waiting = new Map<object, () => void>();

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Calls `go` when it is the turn of `holder`, never before this returns. */
  ask(holder: object, go: () => void): void {
    this.#waiting.set(holder, go);
    this.#admit();
  }

  /** Ends the turn of `holder`, or its waiting for one. */
  giveUp(holder: object): void {
    this.#waiting.delete(holder);
    this.#sending.get(holder)?.();
    if (this.#sending.delete(holder)) this.#admit();
  }

  #admit(): void {
    for (const [holder, go] of this.#waiting) {
      if (this.#sending.size >= this.#limit) return;
      this.#waiting.delete(holder);
      this.#sending.set(
        holder,
        this.#clock.after(MAX_TURN_MS, () => this.giveUp(holder)),
      );
      queueMicrotask(go);
    }
  }
}
