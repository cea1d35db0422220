import type { Configuration } from "./configuration.ts";
import type { Route } from "./resources/route.ts";
import type { Upstream } from "./resources/upstream.ts";

/** What turns one configuration into another, where all that is not named here is the same. */
export interface ConfigurationChange {
  readonly from: Configuration;
  /** Its settings and plugins are those of `from`; its listeners are the same list unless one of them differs. */
  readonly to: Configuration;
  /** Those that are new or different, of `to`. */
  readonly routes: readonly Route[];
  readonly upstreams: readonly Upstream[];
  /** The ids of those that are gone. */
  readonly removedRoutes: readonly string[];
  readonly removedUpstreams: readonly string[];
}
