import type { Revision } from "../../config/revision-log.ts";
import type { Store } from "../../config/store.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Logger, Meter } from "../../core/ports.ts";
import type { Service } from "../../core/service.ts";
import { STORE_METRICS } from "../../store/metrics.ts";

export interface RevisionFollowerOptions {
  readonly store: Pick<Store, "revisions" | "watch">;
  /** Brings a version to life that somebody else may have committed; one that lives already costs nothing. */
  readonly adopt: (revision: Revision) => Promise<void>;
  /** What else may have changed in the store, looked at whenever versions are. */
  readonly lookAlso: () => Promise<void>;
  readonly pollIntervalMs: number;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly meter: Meter;
}

/** While the store is away, or a version cannot be taken over, it is asked less and less often, down to this. */
const LONGEST_PAUSE_MS = 2_000;

/**
 * Looks for versions that other control planes commit: when told that there may be one, and in any case again and again,
 * so that nothing depends on being told. Knows thereby whether the store can be used. One look at a time.
 */
export class RevisionFollower implements Service {
  readonly name = "revision follower";
  readonly #options: RevisionFollowerOptions;
  #stopWatching: () => void = () => {};
  #cancelLook: () => void = () => {};
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #isRunning = false;
  #pauseMs: number;
  #absence: string | undefined;

  constructor(options: RevisionFollowerOptions) {
    this.#options = options;
    this.#pauseMs = options.pollIntervalMs;
    options.meter.observeGauge(STORE_METRICS.available, () => [[{}, this.#absence === undefined ? 1 : 0]]);
  }

  /** Why the store cannot be used; undefined while it can. */
  get absence(): string | undefined {
    return this.#absence;
  }

  async start(): Promise<void> {
    this.#isRunning = true;
    this.#stopWatching = this.#options.store.watch(() => this.#hint());
    this.#schedule();
  }

  async stop(): Promise<void> {
    this.#isRunning = false;
    this.#stopWatching();
    this.#cancelLook();
    await this.#looking;
  }

  #hint(): void {
    this.#lookAgain = true;
    if (this.#looking === undefined) this.#look();
  }

  #schedule(): void {
    this.#cancelLook();
    if (this.#isRunning) this.#cancelLook = this.#options.clock.after(this.#pauseMs, () => this.#look());
  }

  #look(): void {
    this.#cancelLook();
    this.#lookAgain = false;
    this.#looking = this.#lookOnce().finally(() => {
      this.#looking = undefined;
      if (this.#lookAgain && this.#isRunning && this.#absence === undefined) this.#look();
      else this.#schedule();
    });
  }

  async #lookOnce(): Promise<void> {
    const { store, adopt, lookAlso, logger } = this.#options;
    let head: Revision | undefined;
    try {
      await lookAlso();
      head = await store.revisions.head();
    } catch (error) {
      this.#away(RunwayError.from(error));
      return;
    }
    this.#present();
    try {
      if (head !== undefined) await adopt(head);
      this.#pauseMs = this.#options.pollIntervalMs;
    } catch (error) {
      this.#slowDown();
      logger.error("A version of another control plane could not be taken over", { version: head?.version, error });
    }
  }

  #away({ message: reason }: RunwayError): void {
    if (this.#absence === undefined)
      this.#options.logger.error("The store is away: nodes are served on, and changes are refused", { reason });
    this.#absence = reason;
    this.#slowDown();
  }

  #present(): void {
    if (this.#absence !== undefined) this.#options.logger.info("The store is there again");
    this.#absence = undefined;
  }

  #slowDown(): void {
    this.#pauseMs = Math.min(LONGEST_PAUSE_MS, this.#pauseMs * 2);
  }
}
