import { createHmac, randomBytes } from "node:crypto";
import { z } from "zod";
import { definePlugin, refuse, secret } from "../../sdk/index.ts";
import { isPassword, PASSWORD_HASH } from "./password-hash.ts";

/** Passwords that are checked at a time; more requests with passwords that were not seen lately are refused for now. */
const MAX_CHECKS = 16;
/** Passwords that were right are known for a while, so that not each request costs a check. */
const MAX_KNOWN = 10_000;
const KNOWN_MS = 60_000;
const MAX_CHARACTERS = 1_024;
/** Checked for users that do not exist, so that the time tells nobody who does. */
const NOBODY = `scrypt:16384:8:1:${"A".repeat(22)}:${"A".repeat(43)}`;

/** Knows consumers by user name and password (RFC 7617). */
export const basicAuth = definePlugin({
  name: "basic_auth",
  authenticates: true,
  scopes: ["gateway", "route", "upstream"],
  config: z
    .strictObject({
      realm: z
        .string()
        .regex(/^[ !#-[\]-~]{1,128}$/, "must be plain text without quotes")
        .default("Restricted")
        .describe("What browsers show when they ask for the password."),
      hide_credentials: z
        .boolean()
        .default(true)
        .describe("Whether name and password are kept from the upstream: who has them can log in as the client."),
    })
    .describe("Consumers are known by user name and password; these are those of `consumers.NAME.basic_auth`."),
  credentials: {
    config: z.strictObject({
      username: z
        .string()
        .regex(/^[^:\s]{1,128}$/, "must have no colon and no space")
        .describe("The name to log in with."),
      password_hash: secret(
        z.string().regex(PASSWORD_HASH, "must be a scrypt hash, as `runway hash basic_auth` prints it"),
      ).describe("The hash of the password; the password itself is nowhere in the configuration."),
    }),
    keysOf: ({ username }) => ({ username: username as string }),
  },
  create({ realm, hide_credentials }, host) {
    const challenge = `Basic realm="${realm}", charset="UTF-8"`;
    const ownKey = randomBytes(32);
    const known = new Map<string, number>();
    let checks = 0;
    const refused = () => {
      host.count("refused");
      return refuse("consumerUnknown", { headers: { "WWW-Authenticate": challenge } });
    };
    /** Not the password itself is kept, but what only this process can make of it. */
    const tokenOf = (username: string, password: string, hash: string) =>
      createHmac("sha256", ownKey)
        .update(JSON.stringify([username, password, hash]))
        .digest("base64");
    const remember = (token: string) => {
      if (known.size >= MAX_KNOWN) known.delete(known.keys().next().value!);
      known.set(token, host.clock.monotonicMs() + KNOWN_MS);
    };
    return {
      challenge,
      authenticate(request) {
        const sent = request.headers.get("authorization");
        if (sent === undefined || !/^basic /i.test(sent)) return undefined;
        const [username, password] = sent.length > 2 * MAX_CHARACTERS ? [] : decode(sent.slice(6));
        if (username === undefined || password === undefined) return refused();
        const consumer = host.consumerByKey(username);
        const hash = (consumer?.credentials.password_hash as string | undefined) ?? NOBODY;
        const token = tokenOf(username, password, hash);
        const accept = () => {
          host.count("accepted");
          if (hide_credentials) request.headers.remove("Authorization");
          return { id: consumer!.id };
        };
        if (consumer !== undefined && (known.get(token) ?? 0) > host.clock.monotonicMs()) return accept();
        if (checks >= MAX_CHECKS) {
          host.count("overloaded");
          return refuse("overloaded", { headers: { "Retry-After": "1" } });
        }
        checks++;
        return isPassword(password, hash)
          .then((isRight) => {
            if (!isRight || consumer === undefined) return refused();
            remember(token);
            return accept();
          })
          .finally(() => {
            checks--;
          });
      },
    };
  },
});

/** User name and password; nothing when the text is not theirs. */
function decode(text: string): [string, string] | [] {
  if (!/^[A-Za-z0-9+/]+={0,2}$/.test(text)) return [];
  const pair = Buffer.from(text, "base64").toString("utf8");
  const colon = pair.indexOf(":");
  return colon < 1 ? [] : [pair.slice(0, colon), pair.slice(colon + 1)];
}
