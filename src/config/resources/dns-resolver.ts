import { isIP } from "node:net";
import { z } from "zod";
import { duration, parseAddress } from "./scalars.ts";

/** How the names of targets become addresses. */
export const DnsResolverSpec = z
  .strictObject({
    nameservers: z
      .array(
        z
          .string()
          .refine(
            (text) => isIP(text) !== 0 || isIP(parseAddress(text)?.host ?? "") !== 0,
            "must be an address such as 10.0.0.53, 10.0.0.53:5353 or [fd00::53]:53",
          ),
      )
      .max(8)
      .default([])
      .describe(
        "DNS servers that are asked for the names of targets, and asked again when an answer's time to live is over. None leaves it to the system, at each new connection.",
      ),
    timeout: duration.prefault("2s").describe("How long one of them may take to answer."),
    refresh: duration
      .prefault("5s")
      .describe(
        "How often names are looked up again whose addresses or services are targets of their own (`discover`); not before their time to live is over where that is known.",
      ),
    keep_stale: duration
      .prefault("1h")
      .describe(
        "How long the last addresses of a name are used after it could not be resolved any more. 0s means not at all.",
      ),
  })
  .refine(({ refresh }) => refresh >= 100, { error: "must be at least 100ms", path: ["refresh"] });

export type DnsResolver = z.output<typeof DnsResolverSpec>;
