import { z } from "zod";
import { httpToken } from "./scalars.ts";
import { statusCode } from "./status-codes.ts";

/** Fields that hold secrets. They are never written, whatever is asked for. */
const SECRET_FIELDS = ["authorization", "proxy-authorization", "cookie", "set-cookie", "x-api-key"];

const enabled = z.boolean().describe("Whether a line is written for each request.");

const query = z.boolean().describe("Whether the query stands in the path; queries often hold secrets.");

const headersInclude = z
  .array(
    httpToken.refine(
      (name) => !SECRET_FIELDS.includes(name.toLowerCase()),
      "is never written to the access log, since it holds secrets",
    ),
  )
  .max(32)
  .describe("Request headers that are written too.");

const conditions = z
  .strictObject({
    status_codes: z
      .array(statusCode)
      .default([])
      .describe("Statuses that are written: 404, 5xx, 400-499. None means all."),
    methods: z.array(httpToken).default([]).describe("Methods that are written; none means all."),
    sample_rate: z
      .number()
      .min(0)
      .max(1)
      .default(1)
      .describe("The share of requests that is written, of those that the other conditions let through."),
  })
  .describe("Which requests are written.");

/** The access log of the whole gateway. */
export const AccessLogSpec = z.strictObject({
  enabled: enabled.default(false),
  output: z
    .string()
    .regex(/^(?:stdout|\/.*)$/, "must be stdout or an absolute path")
    .default("stdout")
    .describe(
      "Where lines go: stdout, or a file that only its owner may read, opened anew on SIGUSR1 or SIGHUP once it was moved away.",
    ),
  query: query.default(false),
  headers_include: headersInclude.default([]),
  conditions: conditions.prefault({}),
});

/** What a route says of its own lines; what it leaves out is as the gateway's. */
export const RouteAccessLogSpec = z.strictObject({
  enabled: enabled.optional(),
  query: query.optional(),
  headers_include: headersInclude.optional(),
  conditions: conditions.optional(),
});

export type AccessLogSettings = z.output<typeof AccessLogSpec>;
export type RouteAccessLog = z.output<typeof RouteAccessLogSpec>;
