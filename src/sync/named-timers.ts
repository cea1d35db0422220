import type { Clock } from "../core/clock.ts";

/** At most one timer a name. */
export class NamedTimers<Name extends string> {
  readonly #clock: Clock;
  readonly #fire: (name: Name) => void;
  readonly #cancels = new Map<Name, () => void>();

  constructor(clock: Clock, fire: (name: Name) => void) {
    this.#clock = clock;
    this.#fire = fire;
  }

  /** Replaces the timer of that name. */
  set(name: Name, delayMs: number): void {
    this.clear(name);
    const cancel = this.#clock.after(delayMs, () => {
      this.#cancels.delete(name);
      this.#fire(name);
    });
    this.#cancels.set(name, cancel);
  }

  clear(name: Name): void {
    this.#cancels.get(name)?.();
    this.#cancels.delete(name);
  }
}
