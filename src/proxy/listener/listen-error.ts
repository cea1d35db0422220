import { getSystemErrorMessage } from "node:util";
import type { Problem } from "../../config/problem.ts";
import type { Listener } from "../../config/resources/listener.ts";

/** What to do about the errors that a system gives most often. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program has it: stop that one or choose another port",
  EACCES: "ports below 1024 need a privilege: grant it or choose a higher port",
  EADDRNOTAVAIL: "no interface of this machine has the address",
  ENOTFOUND: "the host name does not resolve",
};

/** `cannot listen on 127.0.0.1:8080: address already in use (another program has it: …)`. */
export function explainListenError(listener: Listener, index: number, error: unknown): Problem {
  const { code = "", errno } = error instanceof Error ? (error as NodeJS.ErrnoException) : {};
  const reason = errno === undefined ? String(error) : getSystemErrorMessage(errno);
  const advice = ADVICE[code];
  return {
    kind: "listener",
    id: listener.id,
    path: `listeners[${index}].address`,
    message: `cannot listen on ${listener.address}: ${reason}${advice === undefined ? "" : ` (${advice})`}`,
  };
}
