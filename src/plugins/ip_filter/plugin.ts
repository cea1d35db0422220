import { BlockList, isIP } from "node:net";
import { z } from "zod";
import { definePlugin, refuse } from "../../sdk/index.ts";

const network = z.union(
  [z.ipv4(), z.ipv6(), z.cidrv4(), z.cidrv6()],
  "must be an address or a network, such as 192.0.2.7 or 10.0.0.0/8",
);

/** Lets clients in by their address. */
export const ipFilter = definePlugin({
  name: "ip_filter",
  config: z
    .strictObject({
      allow: z
        .array(network)
        .default([])
        .describe("Addresses and networks that may come; none means all that are not denied."),
      deny: z.array(network).default([]).describe("Addresses and networks that may not come."),
      order: z
        .enum(["deny_first", "allow_first"])
        .default("deny_first")
        .describe("What counts for an address that is in both lists: that it is denied, or that it is allowed."),
    })
    .refine(({ allow, deny }) => allow.length + deny.length > 0, "needs addresses in allow or deny")
    .describe(
      "Which client addresses may come; others get 403. Behind proxies the address is that of X-Forwarded-For if `trusted_proxies` says so.",
    ),
  create({ allow, deny, order }, host) {
    const allowed = listOf(allow);
    const denied = listOf(deny);
    const mayCome = (client: string) => {
      const isDenied = contains(denied, client);
      if (isDenied && order === "deny_first") return false;
      return contains(allowed, client) || (!isDenied && allow.length === 0);
    };
    return {
      onRequest(request) {
        if (mayCome(request.client)) return undefined;
        host.count("refused");
        return refuse("accessDenied");
      },
    };
  },
});

function listOf(networks: readonly string[]): BlockList {
  const list = new BlockList();
  for (const text of networks) {
    const [address = "", prefix] = text.split("/");
    const family = isIP(address) === 6 ? "ipv6" : "ipv4";
    if (prefix === undefined) list.addAddress(address, family);
    else list.addSubnet(address, Number(prefix), family);
  }
  return list;
}

function contains(list: BlockList, address: string): boolean {
  return list.check(address, isIP(address) === 6 ? "ipv6" : "ipv4");
}
