import { hash as digest } from "node:crypto";
import { z } from "zod";
import { definePlugin, headerName, type RequestContext, refuse, secret } from "../../sdk/index.ts";

const MAX_KEY_CHARACTERS = 1_024;
/** Keys that were accepted whose hash is remembered; the oldest is forgotten for a new one. */
const MAX_REMEMBERED = 1_024;

const KeySpec = z.strictObject({
  hash: secret(
    z
      .string()
      .regex(/^sha256:[0-9a-f]{64}$/, "must be sha256: and 64 hexadecimal digits, as `runway hash api_key` prints it"),
  ).describe("The hash of the key; the key itself is nowhere in the configuration."),
  name: z.string().max(128).default("").describe("What the key is for, for people."),
  expires_at: z.iso
    .datetime({ offset: true, error: "must be a time such as 2027-01-01T00:00:00Z" })
    .optional()
    .describe("When the key stops being accepted."),
});

type Key = z.output<typeof KeySpec>;

/** The form in which keys stand in a configuration. Keys are long and random, so a hash without salt gives nothing away and can be looked up. */
export function hashApiKey(key: string): string {
  return `sha256:${digest("sha256", key)}`;
}

/** Knows consumers by a key that they send. */
export const apiKey = definePlugin({
  name: "api_key",
  authenticates: true,
  scopes: ["gateway", "route", "upstream"],
  config: z
    .strictObject({
      header: headerName.default("X-API-Key").describe("The header that carries the key."),
      query_param: z
        .string()
        .default("")
        .describe(
          "A query parameter that may carry the key instead; empty means none. Queries end up in logs of others, so a header is better.",
        ),
      hide_credentials: z.boolean().default(true).describe("Whether the key is kept from the upstream."),
    })
    .describe("Consumers are known by a key that they send; the keys are those of `consumers.NAME.api_key`."),
  credentials: {
    config: z.strictObject({
      keys: z.array(KeySpec).min(1).describe("The keys that the consumer may send, each by its hash."),
    }),
    list: { field: "keys", key: "name" },
    keysOf: ({ keys }) =>
      Object.fromEntries((keys as readonly Key[]).map(({ hash }, index) => [`keys[${index}].hash`, hash])),
  },
  create({ header, query_param: parameter, hide_credentials }, host) {
    const hide = (request: RequestContext) => {
      request.headers.remove(header);
      if (parameter !== "" && request.parameter(parameter) !== undefined) request.removeParameter(parameter);
    };
    /** With the hash as the consumer has it, which is the quickest to be found again. */
    const remembered = new Map<string, string>();
    const remember = (key: string, hash: string) => {
      if (remembered.size >= MAX_REMEMBERED) remembered.delete(remembered.keys().next().value!);
      remembered.set(key, hash);
    };
    return {
      secrets: { headers: [header], parameters: parameter === "" ? [] : [parameter] },
      challenge: "API-Key",
      authenticate(request) {
        const key = request.headers.get(header) ?? (parameter === "" ? undefined : request.parameter(parameter));
        if (key === undefined) return undefined;
        const known = remembered.get(key);
        const hash = known ?? (key.length > MAX_KEY_CHARACTERS ? "" : hashApiKey(key));
        const consumer = host.consumerByKey(hash);
        const held = (consumer?.credentials.keys as readonly Key[] | undefined)?.find((one) => one.hash === hash);
        const isExpired = held?.expires_at !== undefined && Date.parse(held.expires_at) <= host.clock.now();
        if (consumer === undefined || held === undefined || isExpired) {
          host.count(isExpired ? "expired" : "refused");
          return refuse("consumerUnknown", { headers: { "WWW-Authenticate": "API-Key" } });
        }
        if (known === undefined) remember(key, held.hash);
        host.count("accepted");
        if (hide_credentials) hide(request);
        return { id: consumer.id };
      },
    };
  },
});
