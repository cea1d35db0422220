import type { EffectiveDelta } from "../config/delta.ts";
import type { Problem } from "../config/problem.ts";
import { AdminProblem } from "./problem-document.ts";

/** What came of a change of configuration that somebody asked for. Other failures are thrown as RunwayError. */
export type ConfigurationChange =
  | {
      readonly outcome: "accepted";
      readonly timestampMs: number;
      /** `route:api-v2 added`; empty when the content is what was there already. */
      readonly changes: readonly string[];
      /** The version in force now; after a dry run the one that it would be. None in a standalone node. */
      readonly version?: number;
      readonly hash?: bigint;
      /** What it did, with contents, where it was asked for by resource. */
      readonly delta?: EffectiveDelta;
    }
  /** Found wrong before anything was done. */
  | { readonly outcome: "invalid"; readonly timestampMs: number; readonly problems: readonly Problem[] }
  /** Valid, but could not be applied here; nothing has changed. */
  | { readonly outcome: "refused"; readonly timestampMs: number; readonly problems: readonly Problem[] };

/** @throws AdminProblem for a change that did not come about; `kinds.invalid` says what an invalid one counts as. */
export function acceptedOrThrow(
  change: ConfigurationChange,
  kinds: { invalid: "configurationInvalid" | "configurationRefused" } = { invalid: "configurationInvalid" },
): Extract<ConfigurationChange, { outcome: "accepted" }> {
  switch (change.outcome) {
    case "accepted":
      return change;
    case "invalid":
      throw new AdminProblem(kinds.invalid, "Nothing has changed. Every problem is listed.", change.problems);
    case "refused":
      throw new AdminProblem("configurationRefused", "Nothing has changed. See the problems.", change.problems);
  }
}
