import { z } from "zod";
import type { PluginBlocks } from "../plugin-blocks.ts";
import { RouteAccessLogSpec } from "./access-log.ts";
import { RetryPolicySpec } from "./retry-policy.ts";
import { MatchSpec } from "./route-match.ts";
import { httpToken, identifier } from "./scalars.ts";
import { targetPolicy } from "./target-policy.ts";
import { TimeoutPolicySpec } from "./timeout-policy.ts";
import { TargetSpec } from "./upstream.ts";

/** `name` or `name/version`. HTTP and TLS themselves would let requests pass by the gateway unseen. */
const upgrade = z
  .string()
  .regex(
    /^[!#$%&'*+.^_`|~0-9a-z-]+(?:\/[!#$%&'*+.^_`|~0-9a-z-]+)?$/,
    "must be a protocol in lower case, such as websocket",
  )
  .refine(
    (name) => !/^(?:h2c|http|tls)(?:\/|$)/.test(name),
    "must be another protocol than HTTP or TLS, whose requests the gateway could not see",
  );

const AuthSpec = z
  .strictObject({
    required: z
      .boolean()
      .default(true)
      .describe("Whether who does not say who it is gets 401. A wrong credential is always refused."),
    methods: z
      .array(z.string())
      .default([])
      .describe("The plugins that may authenticate here, such as api_key; none means all that are configured."),
  })
  .describe("Who may come, where plugins that authenticate are configured: any one that knows the client lets it in.")
  .meta({ guards: true });

/** What routes have of our own. */
export const RouteSpec = z.strictObject({
  path: z
    .string()
    .regex(/^\/[^?#\s]*$/, 'must start with "/" and have no query, fragment or space')
    .describe("The path that the route answers; `{name}` stands for one segment."),
  path_prefix: z
    .boolean()
    .default(false)
    .describe("Whether longer paths match too, segment by segment: /api matches /api/x but not /apix."),
  methods: z
    .array(httpToken.refine((text) => text === text.toUpperCase(), "must be in capitals"))
    .default([])
    .describe("Methods that the route answers; none means every method but TRACE."),
  match: MatchSpec.prefault({}).describe("Further conditions on the request.").meta({ guards: true }),
  strip_prefix: z
    .boolean()
    .default(false)
    .describe("Whether the matched path is taken off before the request is sent on."),
  backends: z
    .array(TargetSpec.omit({ discover: true }))
    .min(1)
    .optional()
    .describe("The targets of this route, when it names no upstream."),
  upstream: identifier
    .optional()
    .describe("The upstream that requests go to, when the route has no backends of its own."),
  ...targetPolicy,
  retry_policy: RetryPolicySpec.optional(),
  timeout_policy: TimeoutPolicySpec.prefault({}),
  upgrades: z
    .array(upgrade)
    .default(["websocket"])
    .describe(
      "Protocols that a request may switch to, such as websocket; to others the request is sent on without the wish.",
    ),
  auth: AuthSpec.optional(),
  access_log: RouteAccessLogSpec.optional().describe("What is different about this route in the access log."),
  max_body_size: z
    .int()
    .min(0)
    .default(0)
    .describe("Bytes that a request body may have; more is 413. 0 means no limit."),
});

type Blocks = Readonly<Record<string, z.ZodType>>;

/**
 * What a person writes about a route, blocks of plugins included. It says where requests go, unless one of the plugins in
 * `answering` has a block and so answers them all.
 */
export function routeSpec(blocks: Blocks, answering: readonly string[]): z.ZodObject {
  return RouteSpec.safeExtend(blocks).refine(
    (route: Readonly<Record<string, unknown>>) => {
      const ways = ["backends", "upstream"].filter((key) => route[key] !== undefined).length;
      return ways === 1 || (ways === 0 && answering.some((name) => isOn(route[name])));
    },
    {
      error: `needs exactly one of backends and upstream${answering.length === 0 ? "" : `, or a block that answers every request: ${answering.join(", ")}`}`,
      when: ({ value }) => typeof value === "object" && value !== null,
    },
  );
}

function isOn(block: unknown): boolean {
  return typeof block === "object" && block !== null && (block as { enabled?: unknown }).enabled !== false;
}

/** What a route has as a resource besides what was written: its rank among the routes of the same path (see route-order.ts). */
export const RANK = { order: z.int().min(0).optional() };

export type Route = z.output<typeof RouteSpec> & {
  readonly id: string;
  readonly order?: number | undefined;
  readonly plugins: PluginBlocks;
};
