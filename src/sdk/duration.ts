import { z } from "zod";
import { DURATION_PATTERN, parseDuration } from "../core/duration.ts";

/** The longest delay that a timer of the runtime can wait; a longer one would fire at once. */
const MAX_DURATION_MS = 2_147_483_647;

/** Written `30s` or `1h30m`; running form is milliseconds. */
export const duration = z
  .string()
  .regex(DURATION_PATTERN, "must be a duration such as 500ms, 30s or 1h30m")
  .refine((text) => (parseDuration(text) ?? 0) <= MAX_DURATION_MS, "must be at most 24d")
  .transform((text) => parseDuration(text)!);
