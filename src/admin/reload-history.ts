import { describeProblem } from "../config/problem.ts";
import type { ConfigurationChange } from "./configuration-change.ts";

const MAX_REMEMBERED = 50;

/** The last changes of configuration on this node, whoever asked for them: file, admin API or control plane. */
export class ReloadHistory {
  readonly #changes: ConfigurationChange[] = [];

  record(change: ConfigurationChange): void {
    this.#changes.unshift(change);
    this.#changes.length = Math.min(this.#changes.length, MAX_REMEMBERED);
  }

  /** Most recent first, at most 50. */
  list(): readonly ConfigurationChange[] {
    return [...this.#changes];
  }
}

/** A change as the admin API writes it; the capitals are the cluster contract's. */
export function changeJson(change: ConfigurationChange): Record<string, unknown> {
  const Timestamp = new Date(change.timestampMs).toISOString();
  if (change.outcome !== "accepted")
    return { Success: false, Timestamp, Error: change.problems.map(describeProblem).join("; "), Changes: [] };
  const { version: Version, hash: Hash } = change;
  return { Success: true, Timestamp, Changes: change.changes, Version, Hash };
}
