import type { Snapshot } from "../../src/config/snapshot.ts";

interface Generation {
  readonly snapshot: Snapshot;
  failures: number;
  lastTriedMs: number;
  isProven: boolean;
}

const KEPT_GENERATIONS = 3;
export const MAX_FAILURES = 5;
/** Longer than the faults of a schedule last. */
const PAUSE_MS = 300_000;

/**
 * The generations on a node's disk, by the rules of its cache (src/sync/node-cache.ts), whose tests show that the real one keeps them. Only
 * its last resort is left out: a node that has nothing but what ends it would end until its schedule is over.
 */
export class SimulatedDisk {
  /** Newest first. */
  #generations: Generation[] = [];
  #onTrial: Generation | undefined;

  get newest(): Snapshot | undefined {
    return this.#generations[0]?.snapshot;
  }

  save(snapshot: Snapshot, nowMs: number): void {
    // The process lived with what was on trial until now.
    if (this.#onTrial !== undefined) this.#onTrial.failures = 0;
    if (this.newest?.version !== snapshot.version)
      this.#generations.unshift({ snapshot, failures: 0, lastTriedMs: 0, isProven: false });
    this.#begin(this.#generations[0], nowMs);
    const newestProven = this.#generations.find(({ isProven }) => isProven);
    this.#generations = this.#generations.filter((each, age) => age < KEPT_GENERATIONS || each === newestProven);
  }

  /** What a starting process runs. */
  start(nowMs: number, choose: typeof bestOf = bestOf): Snapshot | undefined {
    this.#onTrial = undefined;
    const chosen = choose(this.#generations, nowMs);
    this.#begin(chosen, nowMs);
    return chosen?.snapshot;
  }

  hasSetAside({ hash }: Snapshot, nowMs: number): boolean {
    return this.#generations.some((each) => each.snapshot.hash === hash && isSetAside(each, nowMs));
  }

  markSurvived(version: number): void {
    this.#onTrial = undefined;
    for (const generation of this.#generations)
      if (generation.snapshot.version === version) Object.assign(generation, { failures: 0, isProven: true });
  }

  #begin(generation: Generation | undefined, nowMs: number): void {
    this.#onTrial = generation;
    if (generation === undefined) return;
    generation.failures += 1;
    generation.lastTriedMs = nowMs;
  }
}

/** The newest that is not known to bring the process down; else one that is tried again, after a pause. */
export function bestOf(kept: readonly Generation[], nowMs: number): Generation | undefined {
  return (
    kept.find(({ failures }) => failures < MAX_FAILURES) ?? kept.find((generation) => !isSetAside(generation, nowMs))
  );
}

/** Whatever it did to the process before. */
export function newestOf(kept: readonly Generation[]): Generation | undefined {
  return kept[0];
}

function isSetAside({ failures, lastTriedMs }: Generation, nowMs: number): boolean {
  return failures >= MAX_FAILURES && nowMs < lastTriedMs + PAUSE_MS;
}
