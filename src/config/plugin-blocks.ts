import { z } from "zod";
import type { PluginLanguage } from "../sdk/plugin.ts";
import type { Language } from "./language.ts";

/**
 * What is configured of plugins in one place, in running form, by the plugin's name. The nearest block wins: that of the consumer,
 * else of the route, else of its upstream, else of the gateway. It replaces the others as a whole and is never merged with
 * them, so that what a block says can be read without looking for others.
 */
export type PluginBlocks = Readonly<Record<string, PluginBlock>>;

export interface PluginBlock {
  /** When false, the plugin does not run here, whatever a block further away says. */
  readonly enabled: boolean;
  readonly [setting: string]: unknown;
}

/** The schema of a plugin's block. Besides the plugin's own settings it has `enabled`; one that is switched off needs no others. */
export function pluginBlock({ config }: PluginLanguage): z.ZodType {
  const enabled = z
    .boolean()
    .default(true)
    .describe("Whether it runs; false switches off here what is configured further out.");
  const off = z.strictObject({ enabled: z.literal(false) });
  const block = z.union([off, config.strict().safeExtend({ enabled })]).optional();
  return config.description === undefined ? block : block.describe(config.description);
}

/** Takes the blocks of plugins out of a parsed spec. */
export function splitPlugins(
  language: Language,
  running: Readonly<Record<string, unknown>>,
): { readonly own: Record<string, unknown>; readonly plugins: PluginBlocks } {
  const own: Record<string, unknown> = {};
  const plugins: Record<string, PluginBlock> = {};
  for (const [key, value] of Object.entries(running)) {
    if (!language.isPlugin(key)) own[key] = value;
    else if (value !== undefined) plugins[key] = value as PluginBlock;
  }
  return { own, plugins };
}
