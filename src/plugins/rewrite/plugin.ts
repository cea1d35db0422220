import { z } from "zod";
import { definePlugin, pattern, refuse, Substitution } from "../../sdk/index.ts";

const path = /^\/[!$-;=?-[\]-~]*$/;
const host = /^(?:\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)(?::\d{1,5})?$/;

/** Changes what the upstream is asked for: another path, another Host. */
export const rewrite = definePlugin({
  name: "rewrite",
  config: z
    .strictObject({
      prefix: z
        .string()
        .regex(path, "must be a path such as /v2")
        .refine((text) => !text.includes("?"), "must have no query")
        .optional()
        .describe("What the upstream gets in place of the path that the route matched; what is behind that stays."),
      regex: pattern
        .optional()
        .describe("What is replaced in the path, wherever it is found: a regular expression of RE2."),
      replacement: z
        .string()
        .optional()
        .describe(
          "What stands there instead; `$1` or `${1}` is what the first pair of parentheses found, `$$` a dollar.",
        ),
      host: z
        .string()
        .regex(host, "must be a host with an optional port, such as internal.example:8080")
        .optional()
        .describe("The Host that the upstream is sent, in place of its own."),
    })
    .superRefine(({ prefix, regex, replacement, host: name }, { addIssue }) => {
      const complain = (message: string, ...at: string[]) => addIssue({ code: "custom", message, path: at });
      if ((regex === undefined) !== (replacement === undefined)) complain("regex and replacement go together");
      else if (prefix !== undefined && regex !== undefined) complain("and regex exclude each other", "prefix");
      else if (prefix === undefined && regex === undefined && name === undefined)
        complain("needs prefix, regex with replacement, or host");
      const substitution = Substitution.compile(regex ?? "", replacement ?? "");
      if (!(substitution instanceof Substitution) && substitution.of === "replacement")
        complain(substitution.message, "replacement");
    })
    .describe("Changes the path and the Host that the upstream gets."),
  create({ prefix, regex, replacement = "", host: authority }, host) {
    const start = prefix?.replace(/\/+$/, "");
    const substitution = regex === undefined ? undefined : Substitution.compile(regex, replacement);
    const rewritten = (target: string, rest: string) => {
      const [before, query] = split(target);
      if (start !== undefined) return `${start}${rest}` === "" ? `/${query}` : `${start}${rest}${query}`;
      return substitution instanceof Substitution ? substitution.replaceAll(before) + query : target;
    };
    return {
      onRequest(request) {
        if (authority !== undefined) request.authority = authority;
        try {
          request.target = rewritten(request.target, request.restOfPath);
          return undefined;
        } catch {
          // What a client sends must not become the path of another place.
          host.count("refused");
          return refuse("badRequest", { detail: "the path cannot be rewritten" });
        }
      },
    };
  },
});

/** The path, and the query with its question mark. */
function split(target: string): [string, string] {
  const mark = target.indexOf("?");
  return mark < 0 ? [target, ""] : [target.slice(0, mark), target.slice(mark)];
}
