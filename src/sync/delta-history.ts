import { composeDeltas, type Delta } from "../config/delta.ts";
import type { Stamp } from "./messages.ts";

/** How one state came of another. */
export interface Step {
  readonly base: Stamp;
  readonly target: Stamp;
  readonly delta: Delta;
}

const MAX_STEPS = 512;
/** Resources in all steps together. */
const MAX_RESOURCES = 50_000;

/**
 * The last changes of the configuration, one after another without a gap, so that a node that is a few versions behind is
 * sent what it lacks and not everything. What is longer ago than the limits allow is forgotten: then a snapshot is sent.
 */
export class DeltaHistory {
  #steps: Step[] = [];
  #resources = 0;

  /** `delta` led from `base` to `target`. What does not build on the last step begins a history anew. */
  record(step: Step): void {
    if (!isSameStamp(step.base, this.#steps.at(-1)?.target)) this.forget();
    this.#steps.push(step);
    this.#resources += sizeOf(step.delta);
    while (this.#steps.length > MAX_STEPS || this.#resources > MAX_RESOURCES)
      this.#resources -= sizeOf(this.#steps.shift()!.delta);
  }

  forget(): void {
    this.#steps = [];
    this.#resources = 0;
  }

  /** What turns `base` into `target`; undefined when that is not known any more, or never was. */
  between(base: Stamp, target: Stamp): Delta | undefined {
    const first = this.#steps.findIndex((step) => isSameStamp(step.base, base));
    const last = this.#steps.findLastIndex((step) => isSameStamp(step.target, target));
    if (first < 0 || last < first) return undefined;
    return composeDeltas(this.#steps.slice(first, last + 1).map(({ delta }) => delta));
  }
}

export function isSameStamp(one: Stamp, other: Stamp | undefined): boolean {
  return other !== undefined && one.epoch === other.epoch && one.version === other.version && one.hash === other.hash;
}

function sizeOf({ upserts, removals }: Delta): number {
  return upserts.length + removals.length;
}
