import { z } from "zod";
import { secret } from "../../sdk/secret.ts";
import { duration, httpToken, orSecretReference } from "./scalars.ts";

export const SessionAffinitySpec = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether a client stays with the target that answered it first."),
    cookie_name: httpToken.default("X-Session-Backend").describe("The cookie that says which target it is."),
    ttl: duration.prefault("1h").describe("How long the client keeps the cookie; 0s means until it is closed."),
    path: z
      .string()
      .regex(/^\/[^;\s]*$/, 'must start with "/" and have no space or semicolon')
      .default("/")
      .describe("The paths that the client sends the cookie with."),
    same_site: z.enum(["lax", "strict", "none"]).default("lax").describe("The cookie's SameSite."),
    secure: z.boolean().default(false).describe("Whether the client sends the cookie over TLS only."),
    secret: secret(orSecretReference(z.string().min(16)))
      .optional()
      .describe(
        "Makes the cookie of a target unlike anybody's guess; the same on all nodes. Without it, somebody who knows a target's URL can recognise its cookie, but nobody can read a URL from one.",
      ),
  })
  .refine(({ same_site, secure }) => same_site !== "none" || secure, {
    error: "is required with `same_site: none`",
    path: ["secure"],
  })
  .describe("Keeps a client with one target by a cookie, for as long as the target takes requests.");

export type SessionAffinitySettings = z.output<typeof SessionAffinitySpec>;
