import { ask } from "../../ask.ts";
import { runWrk } from "../../wrk.ts";
import { ofBytes } from "../observation.ts";
import { BODY_BYTES, type BodySize } from "../origin.ts";
import type { Workload } from "../workload.ts";

/** Answers of some size. Memory while they flow is in each run. */
export function download(size: BodySize): Workload {
  return {
    name: `download-${size.toLowerCase()}`,
    title: `${size} responses`,
    requires: [],
    needs: ["wrk"],
    compares: "requestsPerCpuSecond",
    async verify({ url }, { signal }) {
      const { status, body } = await ask(`${url}/${size}`, { signal });
      if (status !== 200 || body.length !== BODY_BYTES[size])
        throw new Error(`a response of ${size} came as ${status} with ${body.length} bytes`);
    },
    load: async ({ url }, { connections, seconds }, signal) =>
      ofBytes(await runWrk({ url: `${url}/${size}`, connections, seconds }, signal), BODY_BYTES[size]),
  };
}
