import { z } from "zod";
import { definePlugin } from "../../sdk/index.ts";

// biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a header.
const value = z.string().regex(/^[^\0-\x1f\x7f]*$/, "must be one line");

/** What tells browsers to be careful with what the route answers. */
export const securityHeaders = definePlugin({
  name: "security_headers",
  config: z
    .strictObject({
      hsts_max_age: z
        .int()
        .min(0)
        .default(31_536_000)
        .describe(
          "Seconds for which browsers use https only (Strict-Transport-Security); sent over https. 0 sends none.",
        ),
      hsts_include_subdomains: z.boolean().default(false).describe("Whether that holds for hosts below too."),
      content_type_options: value.default("nosniff").describe("X-Content-Type-Options; empty sends none."),
      frame_options: value.default("DENY").describe("X-Frame-Options; empty sends none."),
      referrer_policy: value.default("strict-origin-when-cross-origin").describe("Referrer-Policy; empty sends none."),
      content_security_policy: value.default("").describe("Content-Security-Policy; empty sends none."),
      permissions_policy: value.default("").describe("Permissions-Policy; empty sends none."),
      override: z
        .boolean()
        .default(false)
        .describe("Whether a header of the upstream is replaced; otherwise it stays."),
      remove: z
        .array(z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be an HTTP token"))
        .default(["Server", "X-Powered-By"])
        .describe("Headers of the upstream that clients do not get."),
    })
    .describe("Headers that tell browsers to be careful, and none that tell what the upstream runs."),
  create(config) {
    const hsts = `max-age=${config.hsts_max_age}${config.hsts_include_subdomains ? "; includeSubDomains" : ""}`;
    const lines = [
      ["X-Content-Type-Options", config.content_type_options],
      ["X-Frame-Options", config.frame_options],
      ["Referrer-Policy", config.referrer_policy],
      ["Content-Security-Policy", config.content_security_policy],
      ["Permissions-Policy", config.permissions_policy],
    ].filter(([, text]) => text !== "") as [string, string][];
    const secured: [string, string][] =
      config.hsts_max_age > 0 ? [["Strict-Transport-Security", hsts], ...lines] : lines;
    return {
      onResponse({ scheme }, { headers }) {
        for (const name of config.remove) if (headers.has(name)) headers.remove(name);
        for (const [name, text] of scheme === "https" ? secured : lines)
          if (config.override || !headers.has(name)) headers.set(name, text);
      },
    };
  },
});
