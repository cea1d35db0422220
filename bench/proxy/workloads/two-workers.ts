import { runWrk } from "../../wrk.ts";
import { ofLoad } from "../observation.ts";
import type { Workload } from "../workload.ts";

/**
 * What it costs to share the work among two workers. Both run on the one measured core, since the other belongs to the
 * load: this shows what is done twice or passed between them, not what caches of two cores do to each other.
 */
export const twoWorkers: Workload = {
  name: "two-workers",
  title: "Two workers instead of one",
  requires: ["workers"],
  needs: ["wrk"],
  compares: "requestsPerCpuSecond",
  variants: [{ name: "1 worker" }, { name: "2 workers", setting: { workers: 2 } }],
  load: async ({ url }, { connections, seconds }, signal) =>
    ofLoad(await runWrk({ url: `${url}/`, connections, seconds }, signal)),
};
