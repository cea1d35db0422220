import { z } from "zod";
import {
  createContextKey,
  definePlugin,
  duration,
  headerName,
  type RequestContext,
  requestValue,
  secretByName,
} from "../../sdk/index.ts";
import { Shares } from "./shares.ts";

const KEY = /^(?:ip|consumer|(?:header|cookie):[!#$%&'*+.^_`|~0-9A-Za-z-]+)$/;

const GroupSpec = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,62}[A-Za-z0-9])?$/, "must be 1 to 64 letters, digits, '.', '_' or '-'")
    .describe("What the group is called in the cookie and in the metrics."),
  weight: z
    .int()
    .min(0)
    .max(65_535)
    .describe(
      "Its share of the requests relative to the other groups; 0 gets only those that `match_headers` sends it.",
    ),
  upstream: z.string().optional().describe("The upstream that gets its requests; that of the route when left out."),
  match_headers: z
    .record(headerName, secretByName(z.string()))
    .default({})
    .describe("Requests with all of these headers, each of this value, belong to the group whatever the weights."),
});

const StickySpec = z
  .strictObject({
    mode: z
      .enum(["cookie", "hash"])
      .default("cookie")
      .describe("cookie remembers the group with the client, hash takes it from something that each request has."),
    cookie_name: z
      .string()
      .regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be an HTTP token")
      .default("X-Traffic-Group")
      .describe("The cookie that names the group; routes that split differently want different ones."),
    ttl: duration
      .refine((ms) => ms >= 1_000, "must be at least 1s")
      .prefault("24h")
      .describe("How long the client keeps the cookie."),
    hash_key: z
      .string()
      .regex(KEY, "must be ip, consumer, header:NAME or cookie:NAME")
      .default("ip")
      .describe("What is hashed; where a request does not have it, the client's address."),
  })
  .describe("Keeps a client in its group. Without it each request is placed anew.");

export type Group = z.output<typeof GroupSpec>;

/** Spreads the requests of a route over several upstreams by weight. */
export const trafficSplit = definePlugin({
  name: "traffic_split",
  scopes: ["route"],
  config: z
    .strictObject({
      groups: z.array(GroupSpec).min(2).max(32).describe("The groups that requests are divided into."),
      sticky: StickySpec.optional(),
    })
    .superRefine(({ groups }, { addIssue }) => {
      const complain = (message: string, ...path: (string | number)[]) => addIssue({ code: "custom", message, path });
      for (const [index, { name }] of groups.entries()) {
        const first = groups.findIndex((group) => group.name === name);
        if (first < index) complain(`groups[${first}] has the name "${name}" too`, "groups", index, "name");
      }
      if (groups.every(({ weight }) => weight === 0)) complain("at least one group needs a weight above 0", "groups");
    })
    .describe("Spreads requests over several upstreams by weight, such as 5 % over a new version."),
  upstreamsOf: ({ groups }) =>
    (groups as readonly Group[]).flatMap(({ upstream }, index) =>
      upstream === undefined ? [] : [{ path: `groups[${index}].upstream`, upstream }],
    ),
  create({ groups, sticky }, host) {
    const shares = new Shares(groups);
    const placed = createContextKey<Group | undefined>("traffic_split", undefined);
    const whoIs = requestValue(sticky?.mode === "hash" ? sticky.hash_key : "");
    const remembered = (request: RequestContext) => {
      if (sticky === undefined) return undefined;
      if (sticky.mode === "hash") return shares.byKey(whoIs(request) ?? request.client);
      const name = request.cookie(sticky.cookie_name);
      return groups.find((group) => group.name === name && group.weight > 0);
    };
    const place = (request: RequestContext) => {
      const group = shares.next();
      if (sticky?.mode === "cookie") request.set(placed, group);
      return group;
    };
    return {
      onRequest(request) {
        const group = groups.find((one) => matches(request, one)) ?? remembered(request) ?? place(request);
        host.count(group.name);
        if (group.upstream !== undefined) request.upstream = group.upstream;
      },
      onResponse(request, { headers, failure }) {
        const group = request.get(placed);
        if (group === undefined || sticky === undefined || failure !== undefined) return;
        const secure = request.scheme === "https" ? "; Secure" : "";
        const maxAge = `Max-Age=${Math.floor(sticky.ttl / 1_000)}`;
        const cookie = `${sticky.cookie_name}=${group.name}; Path=/; ${maxAge}; HttpOnly; SameSite=Lax${secure}`;
        headers.append("Set-Cookie", cookie);
      },
    };
  },
});

function matches({ headers }: RequestContext, { match_headers }: Group): boolean {
  const wanted = Object.entries(match_headers);
  return wanted.length > 0 && wanted.every(([name, value]) => headers.get(name) === value);
}
