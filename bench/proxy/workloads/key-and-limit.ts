import { runWrk } from "../../wrk.ts";
import { ofLoad } from "../observation.ts";
import type { Workload } from "../workload.ts";

const KEY = "a-key-as-long-as-people-make-them-0123456789";

/** What it costs to know who asks by a key and to count its requests against a limit: one route beside another that does neither. */
export const keyAndLimit: Workload = {
  name: "key-and-limit",
  title: "API key and rate limit on",
  requires: ["key-and-limit"],
  needs: ["wrk"],
  compares: "requestsPerCpuSecond",
  setting: { guardedByKey: KEY },
  variants: [
    { name: "open", path: "/open" },
    { name: "guarded", path: "/guarded" },
  ],
  async verify({ url }) {
    const status = async (path: string, headers = {}) => (await fetch(`${url}${path}`, { headers })).status;
    const known = await fetch(`${url}/guarded`, { headers: { "x-api-key": KEY } });
    const seen = [
      await status("/open"),
      await status("/guarded"),
      known.status,
      known.headers.has("x-ratelimit-limit"),
    ];
    if (seen.join() !== "200,401,200,true") throw new Error(`it does not guard as it should: ${seen.join()}`);
  },
  load: async ({ url }, { connections, seconds, variant }, signal) =>
    ofLoad(await runWrk({ url: `${url}${variant.path}`, connections, seconds, header: `X-API-Key: ${KEY}` }, signal)),
};
