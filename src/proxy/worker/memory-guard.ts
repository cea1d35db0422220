import { totalmem } from "node:os";

/** It is over this far below the limit, so that it does not come and go. */
const RELIEF_PERCENT = 5;

export interface Memory {
  readonly usedBytes: number;
  /** What there is: of the container, or else of the machine. */
  readonly limitBytes: number;
}

/** Of this process. */
export function processMemory(): Memory {
  const limitBytes = Math.min(process.constrainedMemory() || Number.POSITIVE_INFINITY, totalmem());
  return { usedBytes: process.memoryUsage.rss(), limitBytes };
}

/** Tells whether the process is about to use up its memory. */
export class MemoryGuard {
  #isShort = false;

  get isShort(): boolean {
    return this.#isShort;
  }

  /**
   * Returns whether `isShort` has changed.
   * @param maxPercent 0 means no limit
   */
  observe({ usedBytes, limitBytes }: Memory, maxPercent: number): boolean {
    const percent = (100 * usedBytes) / limitBytes;
    const wasShort = this.#isShort;
    this.#isShort = maxPercent > 0 && percent > maxPercent - (wasShort ? RELIEF_PERCENT : 0);
    return this.#isShort !== wasShort;
  }
}
