import type { z } from "zod";

/** Where a plugin may be configured: for every route, on a route, on an upstream, on a consumer. */
export type PluginScope = "gateway" | "route" | "upstream" | "consumer";

/** A plugin as the configuration language sees it: the blocks and the kinds of resources that it adds. */
export interface PluginLanguage {
  /** The key of its blocks, such as `rate_limit`. */
  readonly name: string;
  /** What a person writes in a block. Its output has to be plain data, since it travels between threads. */
  readonly config: z.ZodObject;
  /** Left out: for every route and on a route. */
  readonly scopes?: readonly PluginScope[];
  /** Kinds of resources that it owns: the schemas of their specs by kind. A document holds them by name under the kind's plural. */
  readonly resources?: Readonly<Record<string, z.ZodObject>>;
}
