import { z } from "zod";
import { answer, definePlugin, headerName, headerValue } from "../../sdk/index.ts";

const MAX_CHARACTERS = 65_536;
const BODILESS: readonly number[] = [204, 205, 304];

/** Answers by itself, always the same. */
export const staticAnswer = definePlugin({
  name: "static",
  scopes: ["route"],
  answers: true,
  config: z
    .strictObject({
      status: z.int().min(200).max(599).default(200).describe("The status of the answer."),
      headers: z
        .record(headerName, headerValue)
        .default({})
        .describe("Its headers. Content-Type is text/plain unless it is among them."),
      body: z.string().max(MAX_CHARACTERS).default("").describe("Its body."),
    })
    .refine(({ status, body }) => body === "" || !BODILESS.includes(status), {
      error: `has to be empty with ${BODILESS.join(", ")}`,
      path: ["body"],
    })
    .describe("An answer that is always the same; the route needs no targets."),
  create({ status, headers, body }, host) {
    const made = answer(status, body === "" ? { headers } : { headers, body });
    return {
      onRequest() {
        host.count("answered");
        return made;
      },
    };
  },
});
