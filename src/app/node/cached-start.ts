import { describeProblem } from "../../config/problem.ts";
import type { Snapshot } from "../../config/snapshot.ts";
import type { Logger } from "../../core/ports.ts";
import type { NodeCache } from "../../sync/node-cache.ts";
import { logApplied } from "./applied-log.ts";
import type { Gateway } from "./gateway.ts";
import type { Survival } from "./survival.ts";

/** Makes the best configuration of the node's disk live, and answers it; undefined when none of them can be. */
export async function startFromCache(parts: {
  readonly cache: NodeCache;
  readonly gateway: Gateway;
  readonly survival: Survival;
  readonly logger: Logger;
}): Promise<Snapshot | undefined> {
  const { cache, gateway, survival, logger } = parts;
  for await (const candidate of cache.candidates()) {
    const { snapshot, source, failedStarts } = candidate;
    const fields = { source, version: snapshot.version, failed_starts: failedStarts };
    await cache.countStart(candidate);
    const prepared = await gateway.prepare(snapshot);
    if (prepared.ok) {
      logApplied(logger, snapshot, await prepared.value.commit());
      logger.info("Serving the configuration that was kept on disk", fields);
      survival.watch(snapshot);
      return snapshot;
    }
    const problems = prepared.problems.slice(0, 5).map(describeProblem);
    logger.error("A kept configuration cannot be used", { ...fields, problems });
  }
  logger.warn("There is no configuration on disk; waiting for the control plane");
  return undefined;
}
