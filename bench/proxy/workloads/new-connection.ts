import { runWrk } from "../../wrk.ts";
import { ofLoad } from "../observation.ts";
import type { Workload } from "../workload.ts";

/** Every request on a connection of its own; those to the origin are kept. */
export const newConnection: Workload = {
  name: "new-connection",
  title: "Small GET, new connection each",
  requires: [],
  needs: ["wrk"],
  compares: "requestsPerCpuSecond",
  load: async ({ url }, { connections, seconds }, signal) =>
    ofLoad(await runWrk({ url: `${url}/`, connections, seconds, header: "Connection: close" }, signal)),
};
