import type { PluginBlocks } from "./plugin-blocks.ts";
import type { Certificate } from "./resources/certificate.ts";
import type { Consumer } from "./resources/consumer.ts";
import type { Listener } from "./resources/listener.ts";
import type { Route } from "./resources/route.ts";
import type { Settings } from "./resources/settings.ts";
import type { Upstream } from "./resources/upstream.ts";

/** A resource of a plugin's own kind, in running form. */
export interface OwnedResource {
  readonly id: string;
  readonly [setting: string]: unknown;
}

/**
 * The running form of a snapshot's resources: typed, defaults filled in, durations in milliseconds, secret references
 * resolved, every reference known to exist. What the proxy compiles.
 */
export interface Configuration {
  readonly listeners: readonly Listener[];
  /**
   * Each list is in the order of ids. Where two routes fit a request equally well, the one with the smaller `order` wins (see
   * route-order.ts, which also puts them into the order of the document).
   */
  readonly routes: readonly Route[];
  readonly upstreams: readonly Upstream[];
  readonly consumers: readonly Consumer[];
  readonly certificates: readonly Certificate[];
  readonly settings: Settings;
  /** Of plugins, for every route. */
  readonly plugins: PluginBlocks;
  /** Resources of kinds that plugins own, by kind. */
  readonly owned: Readonly<Record<string, readonly OwnedResource[]>>;
}
