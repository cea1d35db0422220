import { z } from "zod";
import { answer, definePlugin, type HeaderFields, type RequestContext, type ResponseContext } from "../../sdk/index.ts";

const token = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be an HTTP token");
const origin = z
  .string()
  .regex(
    /^(?:\*|null|[a-z][a-z0-9+.-]*:\/\/(?:\*\.)?[A-Za-z0-9.[\]:-]+)$/,
    "must be an origin such as https://app.example.com",
  );

/** Which pages of other origins may use what the gateway answers (https://fetch.spec.whatwg.org/#http-cors-protocol). */
export const cors = definePlugin({
  name: "cors",
  dispensable: true,
  config: z
    .strictObject({
      allow_origins: z
        .array(origin)
        .min(1)
        .describe(
          "Origins that may: https://app.example.com, https://*.example.com for every host below, or * for all.",
        ),
      allow_methods: z
        .array(token)
        .default(["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"])
        .describe("Methods that a page may use."),
      allow_headers: z
        .array(token)
        .default(["Content-Type", "Authorization", "X-API-Key"])
        .describe("Request headers that a page may set."),
      expose_headers: z.array(token).default([]).describe("Response headers that a page may read."),
      allow_credentials: z.boolean().default(false).describe("Whether a page may send cookies and credentials."),
      max_age: z
        .int()
        .min(0)
        .default(86_400)
        .describe("Seconds for which a browser may keep the answer to a preflight."),
    })
    .refine(({ allow_origins, allow_credentials }) => !allow_credentials || !allow_origins.includes("*"), {
      error: "with allow_credentials the origins have to be named, or any page could act for its visitors",
      path: ["allow_origins"],
    })
    .describe("Cross-origin resource sharing: which pages of other origins may use the route."),
  create(config, host) {
    const isOpen = config.allow_origins.includes("*");
    const allows = originMatcher(config.allow_origins);
    const methods = config.allow_methods.join(", ");
    const requestHeaders = config.allow_headers.join(", ");
    const exposed = config.expose_headers.join(", ");
    const name = (headers: HeaderFields, asking: string) => {
      headers.set("Access-Control-Allow-Origin", isOpen ? "*" : asking);
      if (config.allow_credentials) headers.set("Access-Control-Allow-Credentials", "true");
    };
    return {
      onRequest(request) {
        const asking = request.headers.get("origin");
        if (asking === undefined || !isPreflight(request)) return undefined;
        const preflight = answer(204, isOpen ? {} : { headers: { Vary: "Origin" } });
        host.count(allows(asking) ? "preflight" : "refused");
        if (!allows(asking)) return preflight;
        preflight.headers.set("Access-Control-Allow-Methods", methods);
        preflight.headers.set("Access-Control-Allow-Headers", requestHeaders);
        preflight.headers.set("Access-Control-Max-Age", String(config.max_age));
        return preflight;
      },
      onResponse(request, { headers }: ResponseContext) {
        for (const key of [...headers.names()])
          if (key.startsWith("access-control-allow-o") || key.startsWith("access-control-allow-c")) headers.remove(key);
        if (!isOpen) addVary(headers);
        const asking = request.headers.get("origin");
        if (asking === undefined || !allows(asking)) return;
        name(headers, asking);
        if (exposed !== "" && !isPreflight(request)) headers.set("Access-Control-Expose-Headers", exposed);
      },
    };
  },
});

function isPreflight({ method, headers }: RequestContext): boolean {
  return method === "OPTIONS" && headers.has("access-control-request-method");
}

/** The answer depends on who asks, so caches have to keep one for each. */
function addVary(headers: HeaderFields): void {
  const vary = headers.get("vary");
  if (vary === undefined) headers.set("Vary", "Origin");
  else if (!/(?:^|,)\s*(?:\*|origin)\s*(?:,|$)/i.test(vary)) headers.set("Vary", `${vary}, Origin`);
}

function originMatcher(allowed: readonly string[]): (origin: string) => boolean {
  const exact = new Set(allowed.map((text) => text.toLowerCase()));
  const below = [...exact].filter((text) => text.includes("://*.")).map((text) => text.split("*") as [string, string]);
  return (asking) => {
    const lower = asking.toLowerCase();
    if (exact.has("*") || exact.has(lower)) return true;
    return below.some(
      ([scheme, domain]) =>
        lower.startsWith(scheme) && lower.endsWith(domain) && lower.length > scheme.length + domain.length,
    );
  };
}
