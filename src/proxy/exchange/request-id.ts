import { randomUUID } from "node:crypto";

const WELL_FORMED = /^[\w.:/+=@-]{1,128}$/;

/** The client's own request id when it can stand in a log line as it is, otherwise a new one. */
export function requestIdOf(given: string | undefined): string {
  return given !== undefined && WELL_FORMED.test(given) ? given : randomUUID();
}
