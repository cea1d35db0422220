import { z } from "zod";
import { definePlugin, refuse } from "../../sdk/index.ts";

const host = z
  .string()
  .regex(
    /^(?:\*\.)?[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*$/,
    "must be a host such as api.example.com or *.example.com, without a port",
  );

/** Answers only for hosts that are its own. */
export const allowedHosts = definePlugin({
  name: "allowed_hosts",
  config: z
    .strictObject({
      hosts: z
        .array(host)
        .min(1)
        .describe("Hosts that are answered for; `*.example.com` stands for every host below it."),
    })
    .describe("Which hosts are answered for; requests for others get 421."),
  create({ hosts }, { count }) {
    const exact = new Set(hosts.map((name) => name.toLowerCase()));
    const below = [...exact].filter((name) => name.startsWith("*")).map((name) => name.slice(1));
    return {
      onRequest(request) {
        const name = request.host.toLowerCase().replace(/\.?(?::\d*)?$/, "");
        if (exact.has(name) || below.some((end) => name.length > end.length && name.endsWith(end))) return undefined;
        count("refused");
        return refuse("misdirected");
      },
    };
  },
});
