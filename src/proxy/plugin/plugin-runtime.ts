import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import type { PluginHost } from "../../sdk/plugin-host.ts";
import { SharedNumbers } from "../../sdk/shared-numbers.ts";
import type { EventCounts } from "./event-counts.ts";
import { hostFetch } from "./host-fetch.ts";
import { PluginDirectory } from "./plugin-directory.ts";

export interface PluginRuntimeOptions {
  /** In the order of running. */
  readonly plugins: readonly Plugin[];
  /** Of `SharedNumbers`. */
  readonly memory: SharedArrayBuffer;
  readonly events: EventCounts;
  readonly clock: Clock;
  readonly logger: Logger;
}

/** What plugins work with in one worker, for as long as it lives. */
export class PluginRuntime {
  readonly plugins: readonly Plugin[];
  readonly clock: Clock;
  readonly logger: Logger;
  /** Of the configuration in effect. */
  directory: PluginDirectory;
  readonly #shared: SharedNumbers;
  readonly #events: EventCounts;

  constructor({ plugins, memory, events, clock, logger }: PluginRuntimeOptions) {
    this.plugins = plugins;
    this.clock = clock;
    this.logger = logger;
    this.directory = new PluginDirectory(plugins, { owned: {} });
    this.#shared = new SharedNumbers(memory);
    this.#events = events;
  }

  hostFor({ name, resources = {} }: Plugin, place: string): PluginHost {
    return {
      place,
      clock: this.clock,
      logger: this.logger.child({ plugin: name, place }),
      shared: this.#shared,
      count: this.#events.of(name, place),
      fetch: hostFetch,
      resource: (kind, id) => (Object.hasOwn(resources, kind) ? this.directory.resource(kind, id) : undefined),
      consumerByKey: (key) => this.directory.consumer(name, key),
    };
  }
}
