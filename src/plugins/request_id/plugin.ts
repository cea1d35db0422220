import { randomUUID } from "node:crypto";
import { z } from "zod";
import { createContextKey, definePlugin, headerName } from "../../sdk/index.ts";

const given = createContextKey<string | undefined>("request_id", undefined);

/** A second name for requests, for systems that have their own header for it. */
export const requestId = definePlugin({
  name: "request_id",
  dispensable: true,
  config: z
    .strictObject({
      header: headerName
        .default("X-Correlation-ID")
        .describe("The header that carries the id to the upstream and back."),
      accept: z
        .boolean()
        .default(true)
        .describe("Whether an id that the client sends is kept, if it has at most 128 plain characters."),
      echo: z.boolean().default(true).describe("Whether the client gets the id."),
    })
    .describe("An id under a header of your own, besides the X-Request-ID that every request has."),
  create({ header, accept, echo }) {
    return {
      onRequest(request) {
        const sent = accept ? request.headers.get(header) : undefined;
        const id = sent !== undefined && /^[\w.:/+=@-]{1,128}$/.test(sent) ? sent : randomUUID();
        request.set(given, id);
        request.headers.set(header, id);
      },
      onResponse(request, response) {
        const id = request.get(given);
        if (echo && id !== undefined) response.headers.set(header, id);
      },
    };
  },
});
