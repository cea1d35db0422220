import { runEcho } from "../../echo-load.ts";
import { ofLoad } from "../observation.ts";
import type { Workload } from "../workload.ts";

const MESSAGE_BYTES = 64;

/** Small messages there and back over WebSockets. Generator and origin are Node here, so the proxy waits for them much. */
export const websocketEcho: Workload = {
  name: "websocket-echo",
  title: "WebSocket echo",
  requires: ["websocket"],
  needs: [],
  compares: "requestsPerCpuSecond",
  origin: "echo",
  load: async ({ url }, { connections, seconds }, signal) =>
    ofLoad(await runEcho({ url: `${url}/echo`, connections, seconds, messageBytes: MESSAGE_BYTES }, signal)),
};
