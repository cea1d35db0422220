import { setTimeout as delay } from "node:timers/promises";
import { runFixedRate } from "../../fixed-rate.ts";
import { ofFixedRate } from "../observation.ts";
import type { RunningProxy } from "../subject.ts";
import type { Workload } from "../workload.ts";

const PAUSE_MS = 500;

/**
 * Latency at a fixed rate while one of 1,000 routes is changed, twice a second, beside the same rate without changes. The
 * supervisor that reads and compares the configuration has no core of its own here, as it would on a larger machine.
 */
export const liveChanges: Workload = {
  name: "live-changes",
  title: "p99 while the configuration changes",
  requires: ["live-changes"],
  needs: ["wrk"],
  compares: "p99Ms",
  hasFixedRate: true,
  setting: { otherRoutes: 1_000 },
  variants: [{ name: "unchanged" }, { name: "changing", hasChanges: true }],
  async load(proxy, { connections, seconds, ratePerSecond, variant }, signal) {
    const finished = new AbortController();
    const changes = variant.hasChanges ? keepChanging(proxy, finished.signal) : Promise.resolve(0);
    try {
      const load = { port: proxy.port, path: "/", connections, seconds, ratePerSecond, warmUpSeconds: seconds / 5 };
      const { figures, ...seen } = ofFixedRate(await runFixedRate(load, signal));
      finished.abort();
      return { ...seen, figures: { ...figures, changes: await changes } };
    } finally {
      finished.abort();
      await changes;
    }
  },
};

/** Answers how many changes were applied before `finished`. @throws Error when one was not. */
async function keepChanging(proxy: RunningProxy, finished: AbortSignal): Promise<number> {
  for (let count = 0; ; count++) {
    const isOver = await delay(PAUSE_MS, false, { signal: finished }).catch(() => true);
    if (isOver) return count;
    await proxy.change?.(Date.now());
  }
}
