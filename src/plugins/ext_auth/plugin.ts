import { z } from "zod";
import {
  type Answer,
  answer,
  definePlugin,
  duration,
  type HostResponse,
  hasNoLogin,
  headerName,
  type RequestContext,
  refuse,
} from "../../sdk/index.ts";

const token = z.string().regex(/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/, "must be an HTTP token");
/** What an answer of the service may have; it is passed on to the client. */
const MAX_ANSWER_BYTES = 65_536;

/** Asks another service whether a request may pass, before its upstream is asked. */
export const extAuth = definePlugin({
  name: "ext_auth",
  config: z
    .strictObject({
      url: z
        .url({ protocol: /^https?$/ })
        .refine(hasNoLogin, "must have no user and password, which would be seen wherever the address is")
        .describe("The service that decides: it is sent a GET, and a 2xx of its lets the request pass."),
      timeout: duration.prefault("5s").describe("How long it may take to decide."),
      request_headers: z
        .array(token)
        .default(["Authorization", "Cookie"])
        .describe("Request headers that it is shown, besides X-Forwarded-Method, -Proto, -Host, -Uri and -For."),
      upstream_headers: z
        .array(headerName)
        .default([])
        .describe(
          "Headers of its answer that the upstream gets. What the client sent under these names never reaches it.",
        ),
      client_headers: z
        .array(token)
        .default(["WWW-Authenticate", "Location", "Set-Cookie", "Content-Type"])
        .describe("Headers of a refusal that the client gets."),
      fail_open: z
        .boolean()
        .default(false)
        .describe("Whether requests pass when the service cannot be asked; otherwise they get 503."),
    })
    .describe("Lets another service decide who may pass."),
  create(config, host) {
    const decide = (request: RequestContext) =>
      host.fetch(config.url, {
        headers: { ...forwarded(request), ...shown(request, config.request_headers) },
        timeoutMs: config.timeout,
        maxBytes: MAX_ANSWER_BYTES,
      });
    const unreachable = (error: unknown): Answer | undefined => {
      host.count("unreachable");
      host.logger.warn("The service that authorises requests could not be asked", { reason: String(error) });
      return config.fail_open ? undefined : refuse("authorizationUnavailable");
    };
    return {
      async onRequest(request) {
        for (const name of config.upstream_headers) request.headers.remove(name);
        let decision: HostResponse;
        try {
          decision = await decide(request);
        } catch (error) {
          return unreachable(error);
        }
        const { status, headers } = decision;
        if (status >= 500) return unreachable(`it answered ${status}`);
        if (status < 200 || status > 299) {
          host.count("refused");
          return refusal(decision, config.client_headers);
        }
        host.count("allowed");
        for (const name of config.upstream_headers) {
          const value = headers.get(name.toLowerCase());
          if (value !== undefined) request.headers.set(name, value);
        }
        return undefined;
      },
    };
  },
});

function forwarded({ method, scheme, host, path, query, client }: RequestContext): Record<string, string> {
  return {
    "X-Forwarded-Method": method,
    "X-Forwarded-Proto": scheme,
    "X-Forwarded-Host": host,
    "X-Forwarded-Uri": path + query,
    "X-Forwarded-For": client,
  };
}

function shown({ headers }: RequestContext, names: readonly string[]): Record<string, string> {
  return Object.fromEntries(names.flatMap((name) => (headers.has(name) ? [[name, headers.get(name)!]] : [])));
}

/** The client reads what the service says, as far as it is allowed to. */
function refusal({ status, headers, body }: HostResponse, names: readonly string[]): Answer {
  const kept = names.flatMap((name) => {
    const value = headers.get(name.toLowerCase());
    return value === undefined ? [] : [[name, value] as const];
  });
  return answer(status, { headers: Object.fromEntries(kept), body });
}
