import { runWrk } from "../../wrk.ts";
import { ofLoad } from "../observation.ts";
import type { Workload } from "../workload.ts";

/** What a line for each request costs. */
export const accessLog: Workload = {
  name: "access-log",
  title: "Access log on",
  requires: ["access-log"],
  needs: ["wrk"],
  compares: "requestsPerCpuSecond",
  variants: [{ name: "no log" }, { name: "access log", setting: { accessLog: true } }],
  load: async ({ url }, { connections, seconds }, signal) =>
    ofLoad(await runWrk({ url: `${url}/`, connections, seconds }, signal)),
};
