import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { type Memory, MemoryGuard } from "./memory-guard.ts";

const INTERVAL_MS = 1_000;

export interface MemoryWatchOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly memory: () => Memory;
  /** Of what is in effect now; 0 means no limit. */
  readonly maxPercent: () => number;
  /** Told at each look. */
  readonly tell: (isShort: boolean) => void;
}

/** Looks at the memory of the process once a second. */
export class MemoryWatch {
  readonly #options: MemoryWatchOptions;
  readonly #guard = new MemoryGuard();
  #cancel: (() => void) | undefined;

  constructor(options: MemoryWatchOptions) {
    this.#options = options;
  }

  start(): void {
    const { clock, logger, memory, maxPercent, tell } = this.#options;
    const now = memory();
    if (this.#guard.observe(now, maxPercent())) {
      const fields = { used_bytes: now.usedBytes, limit_bytes: now.limitBytes };
      if (this.#guard.isShort) logger.error("Memory is nearly used up: new requests are refused", fields);
      else logger.warn("There is memory again: new requests are served", fields);
    }
    tell(this.#guard.isShort);
    this.#cancel = clock.after(INTERVAL_MS, () => this.start());
  }

  stop(): void {
    this.#cancel?.();
  }
}
