import { z } from "zod";
import type { PluginBlocks } from "../plugin-blocks.ts";
import { loadBalancer } from "./load-balancing.ts";
import { orSecretReference } from "./scalars.ts";
import { targetPolicy } from "./target-policy.ts";

const targetUrl = z
  .string()
  .refine(isTargetUrl, "must be a URL such as http://backend:9000 or https://backend, without user, query or fragment");

export const TargetSpec = z.strictObject({
  url: orSecretReference(targetUrl).describe(
    "Where requests go: http://host:port or https://host:port, with an optional path that is put before the request's.",
  ),
  weight: z
    .int()
    .min(0)
    .max(65_535)
    .default(1)
    .describe("Share of requests relative to the other targets; 0 gets none."),
  discover: z
    .enum(["addresses", "srv"])
    .optional()
    .describe(
      "Makes targets of what the URL's name stands for, found again each `dns_resolver.refresh`: every address, or every service of its SRV records (their ports and weights, the lowest priority alone). Without it the name is one target, whatever its addresses.",
    ),
  http2: z
    .boolean()
    .default(false)
    .describe(
      "Whether the target is spoken to in HTTP/2, as gRPC needs it: agreed by ALPN with an https target, with prior knowledge (h2c) otherwise. A target that does not speak it is not reached.",
    ),
});

export const UpstreamSpec = z.strictObject({
  backends: z.array(TargetSpec).min(1).describe("The targets that share the requests."),
  ...targetPolicy,
  load_balancer: loadBalancer.default("round_robin"),
});

export type Target = z.output<typeof TargetSpec>;
/** `id` is the upstream's name in the document. */
export type Upstream = z.output<typeof UpstreamSpec> & { readonly id: string; readonly plugins: PluginBlocks };

function isTargetUrl(text: string): boolean {
  const url = URL.parse(text);
  return (
    url !== null &&
    (url.protocol === "http:" || url.protocol === "https:") &&
    url.username === "" &&
    url.password === "" &&
    url.search === "" &&
    url.hash === ""
  );
}
