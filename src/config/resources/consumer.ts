import { z } from "zod";
import type { PluginBlocks } from "../plugin-blocks.ts";

/** Somebody who sends requests. What is said of one stands under the names of plugins: credentials, and settings of its own. */
export const ConsumerSpec = z.strictObject({});

/** `id` is the consumer's name in the document. */
export interface Consumer {
  readonly id: string;
  readonly plugins: PluginBlocks;
  /** By the plugin that authenticates with them. */
  readonly credentials: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}
