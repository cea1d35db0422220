/** In this time what was measured loses all but 1/e of its weight. */
const DECAY_MS = 10_000;

/**
 * What a target's next answer may cost, from those before (the peak EWMA of Finagle): a latency above the average takes its place at
 * once, one below it draws it down slowly. While nothing is measured the average fades, so that a target that was slow is
 * tried again.
 */
export class PeakEwma {
  #averageMs = 0;
  #atMs = 0;

  observe(latencyMs: number, nowMs: number): void {
    const faded = this.at(nowMs);
    const kept = Math.exp((this.#atMs - nowMs) / DECAY_MS);
    this.#averageMs = latencyMs >= faded ? latencyMs : faded + latencyMs * (1 - kept);
    this.#atMs = nowMs;
  }

  /** 0 when nothing was measured yet. */
  at(nowMs: number): number {
    return this.#averageMs * Math.exp((this.#atMs - nowMs) / DECAY_MS);
  }
}
