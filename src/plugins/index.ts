import type { PluginLanguage } from "../sdk/plugin.ts";

/** The plugins of the house. The order of this list is the order of running. */
export const PLUGINS: readonly PluginLanguage[] = [];
