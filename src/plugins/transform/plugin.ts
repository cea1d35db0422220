import { z } from "zod";
import { definePlugin, type HeaderFields, headerName, type RequestContext, secretByName } from "../../sdk/index.ts";

const VARIABLES = {
  remote_addr: ({ client }: RequestContext) => client,
  request_id: ({ requestId }: RequestContext) => requestId,
  host: ({ host }: RequestContext) => host,
  method: ({ method }: RequestContext) => method,
  path: ({ path }: RequestContext) => path,
  scheme: ({ scheme }: RequestContext) => scheme,
  route_id: ({ routeId }: RequestContext) => routeId,
  consumer: ({ consumer }: RequestContext) => consumer?.id ?? "",
} as const;
const REFERENCE = /\$([a-z_]+)/g;

const value = secretByName(
  z
    .string()
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a header.
    .regex(/^[^\0-\x1f\x7f]*$/, "must be one line")
    .refine(
      (text) => [...text.matchAll(REFERENCE)].every(([, variable = ""]) => Object.hasOwn(VARIABLES, variable)),
      `may use ${Object.keys(VARIABLES)
        .map((variable) => `$${variable}`)
        .join(", ")}`,
    ),
);

const Headers = z.strictObject({
  remove: z.array(headerName).default([]).describe("Headers that are taken away."),
  set: z
    .record(headerName, value)
    .default({})
    .describe("Headers that replace those of the same name; values may use $variables."),
  add: z.record(headerName, value).default({}).describe("Headers that are added to those of the same name."),
});

const Side = z.strictObject({
  headers: Headers.prefault({}).describe("Changes of headers, in this order: remove, set, add."),
});

/** Changes headers on their way. */
export const transform = definePlugin({
  name: "transform",
  scopes: ["gateway", "route", "upstream", "consumer"],
  config: z
    .strictObject({
      request: Side.prefault({}).describe("Of the request that the upstream gets."),
      response: Side.prefault({}).describe("Of the response that the client gets."),
    })
    .describe("Changes headers of requests and responses."),
  create({ request: ofRequest, response: ofResponse }) {
    return {
      onRequest: (request) => apply(ofRequest.headers, request.headers, request),
      onResponse: (request, { headers }) => apply(ofResponse.headers, headers, request),
    };
  },
});

function apply({ remove, set, add }: z.output<typeof Headers>, headers: HeaderFields, request: RequestContext): void {
  for (const key of remove) if (headers.has(key)) headers.remove(key);
  for (const [key, text] of Object.entries(set)) headers.set(key, filled(text, request));
  for (const [key, text] of Object.entries(add)) headers.append(key, filled(text, request));
}

/** A value of the client's may hold what no header can, such as an encoded path; that is left out. */
function filled(text: string, request: RequestContext): string {
  const full = text.replace(REFERENCE, (_, variable: keyof typeof VARIABLES) => VARIABLES[variable](request));
  return full.replace(/[^\t\x20-\x7e\x80-\xff]/g, "").trim();
}
