import type { Clock } from "../../core/clock.ts";
import type { Stamp } from "../../sync/messages.ts";
import type { NodeCache } from "../../sync/node-cache.ts";

const FIRST_MINUTE_MS = 60_000;

/** Tells the cache when the process has lived for a minute with a configuration: it may be trusted at the next start. */
export class Survival {
  readonly #cache: NodeCache;
  readonly #clock: Clock;
  #cancel = (): void => {};

  constructor(cache: NodeCache, clock: Clock) {
    this.#cache = cache;
    this.#clock = clock;
  }

  /** The minute of this configuration begins; that of the one before it does not matter any more. */
  watch(stamp: Pick<Stamp, "epoch" | "version">): void {
    this.#cancel();
    this.#cancel = this.#clock.after(FIRST_MINUTE_MS, () => void this.#cache.markSurvived(stamp));
  }

  stop(): void {
    this.#cancel();
  }
}
