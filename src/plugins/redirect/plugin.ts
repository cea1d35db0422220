import { z } from "zod";
import { answer, definePlugin, pattern, type RequestContext, refuse, Substitution } from "../../sdk/index.ts";

/** A place at a host that is written out, so that no client can choose where others are sent. */
const PLACE = /^(?:https?:\/\/[A-Za-z0-9.[\]:-]+(?![^/?])|\/(?!\/))[!-[\]-~]*$/;

/** Sends clients to another place. */
export const redirect = definePlugin({
  name: "redirect",
  scopes: ["route"],
  answers: true,
  config: z
    .strictObject({
      url: z
        .string()
        .regex(PLACE, "must be a URL such as https://new.example/shop, or a path such as /shop")
        .describe("Where clients are sent to. With `regex`, `$1` in it is what the first pair of parentheses found."),
      status: z
        .literal([301, 302, 303, 307, 308])
        .default(302)
        .describe("301 and 308 are for ever, 302 and 307 for now; 307 and 308 keep method and body, 303 asks for GET."),
      keep_path: z
        .boolean()
        .default(false)
        .describe("Whether what of the path is behind that of the route is put behind the URL's."),
      keep_query: z.boolean().default(true).describe("Whether the query is kept, where the URL has none."),
      regex: pattern
        .optional()
        .describe("What has to be found in the path, a regular expression of RE2; other paths get 404."),
    })
    .superRefine(({ url, regex, keep_path }, { addIssue }) => {
      if (regex === undefined) return;
      if (keep_path) addIssue({ code: "custom", message: "and regex exclude each other", path: ["keep_path"] });
      const substitution = Substitution.compile(regex, url);
      if (!(substitution instanceof Substitution) && substitution.of === "replacement")
        addIssue({ code: "custom", message: substitution.message, path: ["url"] });
    })
    .describe("Sends clients to another place; the route needs no targets."),
  create({ url, status, keep_path, keep_query, regex }, host) {
    const substitution = regex === undefined ? undefined : Substitution.compile(regex, url);
    const placeFor = ({ path, restOfPath }: RequestContext) => {
      if (substitution instanceof Substitution) return substitution.expand(path);
      return keep_path ? `${url.replace(/\/+$/, "")}${restOfPath}` || "/" : url;
    };
    return {
      onRequest(request) {
        const place = placeFor(request);
        if (place === undefined) return refuse("routeNotFound");
        host.count("redirected");
        const query = keep_query && !/[?#]/.test(place) ? request.query : "";
        return answer(status, { headers: { Location: withinHost(place) + query } });
      },
    };
  },
});

/** A path that begins with two slashes would be another host (RFC 3986 §4.2). */
function withinHost(place: string): string {
  return place.replace(/^\/{2,}/, "/");
}
