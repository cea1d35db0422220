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

  constructor(options: HistoryKeeperOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#cancel = this.#options.clock.after(INTERVAL_MS, () => void this.#prune());
  }

  async stop(): Promise<void> {
    this.#cancel();
  }

  async #prune(): Promise<void> {
    const { log, retention, floor, logger } = this.#options;
    try {
      const versions = await log.prune({ ...retention, floor: floor() });
      if (versions > 0) logger.info("Old versions were forgotten", { versions });
    } catch (error) {
      logger.warn("Old versions could not be forgotten; trying again later", { error });
    }
    await this.start();
  }
}
