import { runWrk } from "../../wrk.ts";
import { ofLoad } from "../observation.ts";
import type { Workload } from "../workload.ts";

/** Small answers over connections that are kept: what a proxy does most. */
export const smallGet: Workload = {
  name: "small-get",
  title: "Small GET, keep-alive",
  requires: [],
  needs: ["wrk"],
  compares: "requestsPerCpuSecond",
  load: async ({ url }, { connections, seconds }, signal) =>
    ofLoad(await runWrk({ url: `${url}/`, connections, seconds }, signal)),
};
