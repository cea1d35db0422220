import type { Retention, RevisionLog } from "../../config/revision-log.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { Service } from "../../core/service.ts";

export interface HistoryKeeperOptions {
  readonly log: RevisionLog;
  readonly retention: Pick<Retention, "versions" | "ageMs">;
  /** The oldest version that a living node runs. */
  readonly floor: () => number;
  readonly clock: Clock;
  readonly logger: Logger;
}

const INTERVAL_MS = 600_000;

/** Lets old versions go now and then. Several control planes may do so on one store. */
export class HistoryKeeper implements Service {
  readonly name = "history keeper";
  readonly #options: HistoryKeeperOptions;
  #cancel: () => void = () => {};
  #pruning: Promise<void> | undefined;
  #isRunning = false;

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#cancel();
    await this.#pruning;
  }

  #schedule(): void {
    if (!this.#isRunning) return;
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => {
      this.#pruning = this.#prune().finally(() => this.#schedule());
    });
  }

  async #prune(): Promise<void> {
    const { log, retention, floor, logger } = this.#options;
    try {
      const versions = await log.prune({ ...retention, floor: floor() });
      if (versions > 0) logger.info("Old versions were forgotten", { versions });
    } catch (error) {
      logger.warn("Old versions could not be forgotten; trying again later", { error });
    }
  }
}
