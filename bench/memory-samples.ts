import type { Usage } from "./process-tree.ts";

const INTERVAL_MS = 1_000;

export interface MemorySample {
  readonly afterMs: number;
  readonly rssBytes: number;
}

/** Resident memory once a second, from when it is made until it is disposed of. */
export class MemorySamples implements Disposable {
  readonly samples: MemorySample[] = [];
  readonly #startMs = performance.now();
  readonly #timer: NodeJS.Timeout;
  readonly #usage: () => Usage;

  constructor(usage: () => Usage) {
    this.#usage = usage;
    this.#take();
    this.#timer = setInterval(() => this.#take(), INTERVAL_MS);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#take();
  }

  #take(): void {
    this.samples.push({
      afterMs: Math.round(performance.now() - this.#startMs),
      rssBytes: this.#usage().rssBytes,
    });
  }
}
