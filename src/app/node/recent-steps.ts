import type { RevisionLog } from "../../config/revision-log.ts";
import type { Step } from "../../sync/delta-history.ts";

const MAX_STEPS = 32;
/** Resources in all of them together, about: what makes reading them at a start worth it. */
const MAX_RESOURCES = 10_000;

/**
 * The last changes as the log has them, oldest first, up to its newest version: so that a control plane which starts sends
 * nodes what they lack and not everything, as when its file has changed.
 */
export async function recentSteps(log: RevisionLog): Promise<readonly Step[]> {
  const steps: Step[] = [];
  let resources = 0;
  const versions = await log.history({ limit: MAX_STEPS + 1 });
  for (const [age, target] of versions.entries()) {
    const base = versions[age + 1];
    const delta = base && (await log.delta(base.version, target.version));
    if (base === undefined || delta === undefined) break;
    resources += delta.upserts.length + delta.removals.length;
    if (resources > MAX_RESOURCES) break;
    steps.unshift({ base, target, delta });
  }
  return steps;
}
