import { type Check, problemOf } from "./check.ts";

/** A prefix is stripped only where the route matches one; otherwise `path_prefix: true` was most likely forgotten. */
export const stripPrefix: Check = function* ({ routes }) {
  for (const { id, strip_prefix, path_prefix } of routes)
    if (strip_prefix && !path_prefix)
      yield problemOf("route", id, "strip_prefix", "needs path_prefix: true, so that there is a prefix to take off");
};
