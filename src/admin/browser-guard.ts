import { isIP } from "node:net";
import { RunwayError } from "../core/failure.ts";
import { isLoopback } from "./loopback.ts";

/**
 * Keeps web pages of others, open in the browser of someone who can reach the admin API, from using it.
 *
 * A page may send simple requests anywhere (CSRF): a browser names the page in `Origin`, which then is not our own host.
 * A page may also point its own host name at 127.0.0.1 (DNS rebinding): then `Host` is a name that is not ours. Addresses
 * cannot be rebound. Programs such as curl send no Origin and the host they were given, so they notice nothing.
 */
export function refuseForeignPages(
  headers: { host?: string | undefined; origin?: string | undefined },
  boundToLoopback: boolean,
  isSecure = false,
): void {
  const { host = "", origin } = headers;
  const name = host.replace(/:\d+$/, "");
  if (boundToLoopback && !isLoopback(name) && isIP(name.replace(/^\[(.*)\]$/, "$1")) === 0)
    throw new RunwayError(
      "forbidden",
      `The Host header names ${JSON.stringify(name)}. Ask by address or as localhost.`,
    );
  if (origin !== undefined && !isOwn(URL.parse(origin), host, isSecure))
    throw new RunwayError("forbidden", "Web pages of another origin may not use the admin API.");
}

function isOwn(origin: URL | null, host: string, isSecure: boolean): boolean {
  return origin?.host === host && (!isSecure || origin.protocol === "https:");
}
