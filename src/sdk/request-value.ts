import type { RequestContext } from "./request-context.ts";

/**
 * What reads of a request what it is told apart by; undefined where it has none.
 * @param key `consumer`, `header:NAME` or `cookie:NAME`; of anything else no request has a value
 */
export function requestValue(key: string): (request: RequestContext) => string | undefined {
  const [kind, name = ""] = key.split(":");
  if (kind === "consumer") return ({ consumer }) => consumer?.id;
  if (kind === "header") return ({ headers }) => headers.get(name);
  return kind === "cookie" ? (request) => request.cookie(name) : () => undefined;
}
