import type { Duplex } from "node:stream";
import type { Clock } from "../core/clock.ts";

/**
 * Closes a connection that has not come to anything by then. The limits of an HTTP server do not: one that is handed its connections, and
 * does not listen itself, looks at no time.
 * @returns lets it live
 */
export function limitLife(connection: Duplex, clock: Clock, limitMs: number): () => void {
  const cancel = clock.after(limitMs, () => connection.destroy());
  connection.once("close", cancel);
  return cancel;
}
