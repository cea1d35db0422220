import type { RequestContext } from "./request-context.ts";

/**
 * What a request has of what it is told apart by; undefined where it has none, or nothing is read of it.
 * @param key `consumer`, `header:NAME` or `cookie:NAME`; anything else reads nothing
 */
export function requestValue(request: RequestContext, key: string): string | undefined {
  const [kind, name = ""] = key.split(":");
  if (kind === "consumer") return request.consumer?.id;
  if (kind === "header") return request.headers.get(name);
  return kind === "cookie" ? request.cookie(name) : undefined;
}
