import type { Snapshot } from "../../src/config/snapshot.ts";

interface Generation {
  readonly snapshot: Snapshot;
  failedStarts: number;
  isProven: boolean;
}

const KEPT_GENERATIONS = 3;
const MAX_FAILED_STARTS = 3;

/** The generations on a node's disk, by the rules of its cache (src/sync/node-cache.ts), whose tests show that the real one keeps them. */
export class SimulatedDisk {
  /** Newest first. */
  #generations: Generation[] = [];
  #startedWith: Generation | undefined;

  get newest(): Snapshot | undefined {
    return this.#generations[0]?.snapshot;
  }

  get hasAnother(): boolean {
    return this.#generations.length > 1;
  }

  save(snapshot: Snapshot): void {
    // The process lived with what it was started with until now.
    if (this.#startedWith !== undefined) this.#startedWith.failedStarts = 0;
    this.#startedWith = undefined;
    if (this.newest?.version === snapshot.version) {
      this.#generations[0]!.failedStarts = 0;
      return;
    }
    this.#generations.unshift({ snapshot, failedStarts: 0, isProven: false });
    const newestProven = this.#generations.find(({ isProven }) => isProven);
    this.#generations = this.#generations.filter((each, age) => age < KEPT_GENERATIONS || each === newestProven);
  }

  /** What a starting process runs, which counts against it until the process has lived for a minute. */
  start(choose: (kept: readonly Generation[]) => Generation | undefined = bestOf): Snapshot | undefined {
    const chosen = choose(this.#generations);
    if (chosen !== undefined) chosen.failedStarts += 1;
    this.#startedWith = chosen;
    return chosen?.snapshot;
  }

  markSurvived(version: number): void {
    for (const generation of this.#generations)
      if (generation.snapshot.version === version) Object.assign(generation, { failedStarts: 0, isProven: true });
  }
}

/** The newest that is not known to bring the process down; anything is better than nothing. */
export function bestOf(kept: readonly Generation[]): Generation | undefined {
  return kept.find(({ failedStarts }) => failedStarts < MAX_FAILED_STARTS) ?? kept[0];
}

/** Whatever it did to the process before. */
export function newestOf(kept: readonly Generation[]): Generation | undefined {
  return kept[0];
}
