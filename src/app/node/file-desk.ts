import type { ConfigurationChange } from "../../admin/configuration-change.ts";
import type { ReloadDesk } from "../../admin/reload-desk.ts";
import type { ReloadHistory } from "../../admin/reload-history.ts";
import { describeChange, difference } from "../../config/difference.ts";
import type { Checked } from "../../config/problem.ts";
import type { Resource } from "../../config/resource.ts";
import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import { logApplied } from "./applied-log.ts";
import type { Gateway } from "./gateway.ts";
import { Turnstile } from "./turnstile.ts";

export interface FileDeskOptions {
  readonly gateway: Gateway;
  readonly readFile: () => Promise<Checked<readonly Resource[]>>;
  readonly history: ReloadHistory;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** The one place where a standalone node's configuration changes: its file, one change at a time. */
export class FileDesk implements ReloadDesk {
  readonly #options: FileDeskOptions;
  readonly #turnstile = new Turnstile();
  #running: readonly Resource[] = [];

  constructor(options: FileDeskOptions) {
    this.#options = options;
  }

  open(file: readonly Resource[]): Promise<ConfigurationChange> {
    return this.#recorded(() => this.#apply(file));
  }

  reload(): Promise<ConfigurationChange> {
    return this.#recorded(async () => {
      const file = await this.#options.readFile();
      if (!file.ok) return { outcome: "invalid", timestampMs: this.#options.clock.now(), problems: file.problems };
      return this.#apply(file.value);
    });
  }

  async #recorded(change: () => Promise<ConfigurationChange>): Promise<ConfigurationChange> {
    const made = await this.#turnstile.run(change);
    this.#options.history.record(made);
    return made;
  }

  async #apply(resources: readonly Resource[]): Promise<ConfigurationChange> {
    const { gateway, clock, logger } = this.#options;
    const timestampMs = clock.now();
    const prepared = await gateway.prepare({ resources });
    if (!prepared.ok) return { outcome: "refused", timestampMs, problems: prepared.problems };
    logApplied(logger, {}, await prepared.value.commit());
    const changes = difference(this.#running, resources).map(describeChange);
    this.#running = resources;
    return { outcome: "accepted", timestampMs, changes };
  }
}
