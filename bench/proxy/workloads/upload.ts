import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../../ask.ts";
import { runWrk } from "../../wrk.ts";
import { ofBytes } from "../observation.ts";
import { BODY_BYTES, type BodySize } from "../origin.ts";
import type { Workload } from "../workload.ts";

/** Requests of some size, answered when the origin has all of them. Memory while they flow is in each run. */
export function upload(size: BodySize): Workload {
  const bytes = BODY_BYTES[size];
  return {
    name: `upload-${size.toLowerCase()}`,
    title: `${size} uploads`,
    requires: [],
    needs: ["wrk"],
    compares: "requestsPerCpuSecond",
    async verify({ url }, { signal }) {
      const { status, body } = await ask(`${url}/upload`, { signal, body: "x".repeat(bytes) });
      if (status !== 200 || Number(body) < bytes)
        throw new Error(`an upload of ${size} was answered ${status}, and ${body} bytes of it came`);
    },
    async load({ url }, { connections, seconds, folder }, signal) {
      const script = join(folder, `upload-${size}.lua`);
      await writeFile(script, `wrk.method = "POST"\nwrk.body = string.rep("x", ${bytes})\n`);
      return ofBytes(await runWrk({ url: `${url}/upload`, connections, seconds, script }, signal), bytes);
    },
  };
}
