import { z } from "zod";
import { answer, definePlugin } from "../../sdk/index.ts";

/** Sends clients that come without TLS to the same place with it. */
export const httpsRedirect = definePlugin({
  name: "https_redirect",
  config: z
    .strictObject({
      port: z.int().min(1).max(65_535).default(443).describe("The port of https that clients are sent to."),
      permanent: z
        .boolean()
        .default(false)
        .describe("Whether browsers keep the answer: 308, or 307 when not. Both have the request repeated as it was."),
    })
    .describe("Clients that come without TLS are sent to https."),
  create({ port, permanent }, gateway) {
    return {
      onRequest({ scheme, host, path, query }) {
        if (scheme === "https") return undefined;
        gateway.count("redirected");
        const name = host.replace(/:\d*$/, "");
        const authority = port === 443 ? name : `${name}:${port}`;
        return answer(permanent ? 308 : 307, { headers: { Location: `https://${authority}${path}${query}` } });
      },
    };
  },
});
