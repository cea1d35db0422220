import type { Clock } from "../core/clock.ts";

const MAX_TURN_MS = 5_000;
/** How much the last turn counts in the mean of all. */
const NEWEST_SHARE = 0.1;

interface Turn {
  readonly sinceMs: number;
  readonly cancelLimit: () => void;
}

/**
 * Admission to sending configurations: at most `limit` streams send at one time, the others wait in the order in which
 * they asked. The queue is as long as the fleet lets it be (fleet.ts), each stream waiting at most once. When a whole fleet reconnects, memory
 * for bytes on their way stays bounded and the control plane has time for everything else in between.
 *
 * A turn that lasts longer than five seconds no longer counts: its node is slow, holds one chunk of memory at most, and
 * must not keep the others waiting.
 */
export class SendTurns {
  readonly #limit: number;
  readonly #clock: Clock;
  readonly #sending = new Map<object, Turn>();
  readonly #waiting = new Map<object, () => void>();

  constructor(limit: number, clock: Clock) {
    this.#limit = limit;
    this.#clock = clock;
  }

  #meanMs = 0;

  get waiting(): number {
    return this.#waiting.size;
  }

  /** Whether whoever asks now has to wait. */
  get isFull(): boolean {
    return this.#sending.size >= this.#limit;
  }

  /** How long it will take, as turns go now, until all that wait have had theirs. */
  get backlogMs(): number {
    return (this.#waiting.size * this.#meanMs) / this.#limit;
  }

  /** Calls `go` when it is the turn of `holder`, never before this returns. */
  ask(holder: object, go: () => void): void {
    this.#waiting.set(holder, go);
    this.#admit();
  }

  /** Ends the turn of `holder`, or its waiting for one. */
  giveUp(holder: object): void {
    this.#waiting.delete(holder);
    const turn = this.#sending.get(holder);
    if (turn === undefined) return;
    this.#sending.delete(holder);
    turn.cancelLimit();
    this.#meanMs += NEWEST_SHARE * (this.#clock.monotonicMs() - turn.sinceMs - this.#meanMs);
    this.#admit();
  }

  #admit(): void {
    for (const [holder, go] of this.#waiting) {
      if (this.#sending.size >= this.#limit) return;
      this.#waiting.delete(holder);
      const cancelLimit = this.#clock.after(MAX_TURN_MS, () => this.giveUp(holder));
      this.#sending.set(holder, { sinceMs: this.#clock.monotonicMs(), cancelLimit });
      queueMicrotask(go);
    }
  }
}
