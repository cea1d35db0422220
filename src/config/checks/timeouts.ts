import { type Check, problemOf } from "./check.ts";

/** Draining ends before the time for shutting down does. */
export const timeouts: Check = function* ({ settings: { shutdown } }) {
  if (shutdown.drain_delay > 0 && shutdown.drain_delay >= shutdown.timeout)
    yield problemOf(
      "settings",
      "shutdown",
      "drain_delay",
      "must be shorter than shutdown.timeout, of which it is a part",
    );
};
