import type { ConfigurationChange } from "./configuration-change.ts";

/** Reads the configuration file again, where it is the source of configuration. */
export interface ReloadDesk {
  reload(): Promise<ConfigurationChange>;
}
