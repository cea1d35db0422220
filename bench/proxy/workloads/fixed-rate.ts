import { runFixedRate } from "../../fixed-rate.ts";
import { ofFixedRate } from "../observation.ts";
import type { Workload } from "../workload.ts";

/** Latency where nobody is pressed: at half of what the slowest subject is capable of, the same rate for all. */
export const fixedRate: Workload = {
  name: "fixed-rate",
  title: "p99 at a fixed rate",
  requires: [],
  needs: ["wrk"],
  compares: "p99Ms",
  hasFixedRate: true,
  load: async ({ port }, { connections, seconds, ratePerSecond }, signal) =>
    ofFixedRate(
      await runFixedRate({ port, path: "/", connections, seconds, ratePerSecond, warmUpSeconds: seconds / 5 }, signal),
    ),
};
