import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/ports.ts";
import type { SharedNumbers } from "./shared-numbers.ts";

/** A request that a plugin makes itself. It follows no redirects and has limits for time and size. */
export interface HostRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** For everything together; 5,000 when not given. */
  readonly timeoutMs?: number;
  /** Of the answer's body; 1 MiB when not given. */
  readonly maxBytes?: number;
}

export interface HostResponse {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** A consumer with what it has for the plugin that asks. */
export interface KnownConsumer {
  readonly id: string;
  /** What stands under the plugin's name, in running form. */
  readonly credentials: Readonly<Record<string, unknown>>;
}

/** All that a plugin may touch. */
export interface PluginHost {
  /** Where the plugin is configured: `gateway`, `route:api`, `upstream:orders`, `consumer:alice`. */
  readonly place: string;
  /** Names plugin and place in every line. */
  readonly logger: Logger;
  /** Counts an event, such as `limited`: `runway_plugin_events_total`. The events of a plugin should be few. */
  count(event: string, amount?: number): void;
  readonly clock: Clock;
  /** Numbers that all workers share. */
  readonly shared: SharedNumbers;
  /** The answer, whatever its status. @throws Error when there is none within the limits */
  fetch(url: string, request?: HostRequest): Promise<HostResponse>;
  /** The resource of a kind that the plugin owns, in running form. To be asked for while a request is served. */
  resource(kind: string, id: string): Readonly<Record<string, unknown>> | undefined;
  /** The consumer that has `key` among those that `credentials.keysOf` gives for it; found in one step. */
  consumerByKey(key: string): KnownConsumer | undefined;
}
