import { runH2load } from "../../h2load.ts";
import { runWrk } from "../../wrk.ts";
import { ofLoad } from "../observation.ts";
import type { Workload } from "../workload.ts";

const STREAMS = 8;

export const tlsGet: Workload = {
  name: "tls-get",
  title: "Small GET over TLS, keep-alive",
  requires: ["tls"],
  needs: ["wrk"],
  compares: "requestsPerCpuSecond",
  setting: { secure: "tls" },
  load: async ({ url }, { connections, seconds }, signal) =>
    ofLoad(await runWrk({ url: `${url}/`, connections, seconds }, signal)),
};

/** Every request on a connection of its own. The generator resumes sessions by ticket, which every subject gives by default. */
export const tlsNewConnection: Workload = {
  name: "tls-new-connection",
  title: "Small GET, new TLS connection each",
  requires: ["tls"],
  needs: ["wrk"],
  compares: "requestsPerCpuSecond",
  setting: { secure: "tls" },
  load: async ({ url }, { connections, seconds }, signal) =>
    ofLoad(await runWrk({ url: `${url}/`, connections, seconds, header: "Connection: close" }, signal)),
};

/** As many requests at a time as in the other workloads, eight of them on each connection. */
export const http2Get: Workload = {
  name: "http2-get",
  title: "Small GET over HTTP/2",
  requires: ["tls", "http2"],
  needs: ["h2load"],
  compares: "requestsPerCpuSecond",
  setting: { secure: "http2" },
  load: async ({ url }, { connections, seconds, folder }, signal) =>
    ofLoad(
      await runH2load(
        { url: `${url}/`, connections: Math.ceil(connections / STREAMS), streams: STREAMS, seconds, folder },
        signal,
      ),
    ),
};
