import { z } from "zod";
import { pattern } from "../../sdk/pattern.ts";
import { secretByName } from "../../sdk/secret.ts";
import { hostPattern, httpToken, orSecretReference } from "./scalars.ts";

const NamedCondition = (name: z.ZodType<string, string>) =>
  z
    .strictObject({
      name: name.describe("Which one is looked at."),
      value: secretByName(orSecretReference(z.string())).optional().describe("What it has to be, exactly."),
      present: z.boolean().optional().describe("Whether it has to be there (true) or has to be absent (false)."),
      regex: secretByName(pattern)
        .optional()
        .describe("What has to be found in it: a regular expression of RE2, held to the ends by `^` and `$`."),
    })
    .refine(
      (condition) =>
        [condition.value, condition.present, condition.regex].filter((way) => way !== undefined).length === 1,
      "needs exactly one of value, present and regex",
    );

/** What of a request besides path and method a route can ask for. */
export const MatchSpec = z.strictObject({
  domains: z
    .array(hostPattern)
    .default([])
    .describe(
      "Hosts that the route answers, any of them; `*.example.com` stands for every host below it. None means every host.",
    ),
  path_regex: pattern
    .optional()
    .describe(
      "What has to be found in the path besides: a regular expression of RE2. It counts as a condition; the path that the route stands under is still `path`.",
    ),
  headers: z
    .array(NamedCondition(httpToken))
    .default([])
    .describe("Conditions on request headers; all must hold. Several lines of one name are one list, as in RFC 9110."),
  query: z
    .array(NamedCondition(z.string().min(1)))
    .default([])
    .describe("Conditions on query parameters, of several with one name on the first; all must hold."),
  cookies: z
    .array(NamedCondition(httpToken))
    .default([])
    .describe("Conditions on cookies, of several with one name on the first; all must hold."),
});

export type Match = z.output<typeof MatchSpec>;
export type Condition = Match["headers"][number];
