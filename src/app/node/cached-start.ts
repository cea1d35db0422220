import { describeProblem } from "../../config/problem.ts";
import type { Snapshot } from "../../config/snapshot.ts";
import type { Logger } from "../../core/ports.ts";
import type { NodeCache } from "../../sync/node-cache.ts";
import { describeSetAside } from "../../sync/set-aside.ts";
import { logApplied } from "./applied-log.ts";
import type { Gateway } from "./gateway.ts";
import type { Survival } from "./survival.ts";

interface CachedStart {
  readonly cache: NodeCache;
  readonly gateway: Gateway;
  readonly survival: Survival;
  readonly logger: Logger;
}

/** Makes the best configuration of the node's disk live, and answers it; undefined when none of them can be. */
export async function startFromCache(parts: CachedStart): Promise<Snapshot | undefined> {
  const { cache, survival, logger } = parts;
  for (const setAside of cache.setAside())
    logger.error("A kept configuration is set aside", { reason: describeSetAside(setAside) });
  for await (const candidate of cache.candidates()) {
    const { snapshot, source, failures } = candidate;
    const fields = { source, version: snapshot.version, failures };
    await cache.begin(candidate);
    const problems = await problemsOf(parts, snapshot);
    if (problems.length === 0) {
      logger.info("Serving the configuration that was kept on disk", fields);
      survival.watch(snapshot);
      return snapshot;
    }
    await cache.withdraw();
    logger.error("A kept configuration cannot be used", { ...fields, problems: problems.slice(0, 5) });
  }
  logger.warn("There is no configuration on disk that can be used; waiting for the control plane");
  return undefined;
}

/** Makes it live, or says why it is not. */
async function problemsOf({ gateway, logger }: CachedStart, snapshot: Snapshot): Promise<readonly string[]> {
  try {
    const prepared = await gateway.prepare(snapshot);
    if (!prepared.ok) return prepared.problems.map(describeProblem);
    logApplied(logger, snapshot, await prepared.value.commit());
    return [];
  } catch (error) {
    logger.error("Starting with a kept configuration failed in an unforeseen way", { error });
    return ["it could not be made live"];
  }
}
