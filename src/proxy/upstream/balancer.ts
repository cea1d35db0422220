import type { UpstreamPool } from "./upstream-pool.ts";

/** A target as requests are sent to it. */
export interface CompiledTarget {
  readonly pool: UpstreamPool;
  /** Put before the path of every request; empty when there is nothing to put. */
  readonly basePath: string;
  readonly weight: number;
}

/**
 * Smooth weighted round robin: at each turn every target gains its weight, the one that has gained most is chosen and pays
 * back the sum of all weights. In any sum-of-weights turns in a row each target is chosen as often as its weight says, and
 * its turns are spread evenly among the others'.
 */
export class Balancer {
  readonly #targets: readonly CompiledTarget[];
  readonly #totalWeight: number;
  readonly #gained: number[];

  /** Targets of weight 0 get nothing. */
  constructor(targets: readonly CompiledTarget[]) {
    this.#targets = targets.filter(({ weight }) => weight > 0);
    this.#totalWeight = this.#targets.reduce((sum, { weight }) => sum + weight, 0);
    this.#gained = this.#targets.map(() => 0);
  }

  /** Undefined when no target takes requests. */
  next(): CompiledTarget | undefined {
    const targets = this.#targets;
    if (targets.length <= 1) return targets[0];
    const gained = this.#gained;
    let best = 0;
    for (let index = 0; index < targets.length; index++) {
      gained[index]! += targets[index]!.weight;
      if (gained[index]! > gained[best]!) best = index;
    }
    gained[best]! -= this.#totalWeight;
    return targets[best];
  }
}
