import type { Workload } from "./workload.ts";
import { accessLog } from "./workloads/access-log.ts";
import { download } from "./workloads/download.ts";
import { fixedRate } from "./workloads/fixed-rate.ts";
import { idleConnections } from "./workloads/idle-connections.ts";
import { keyAndLimit } from "./workloads/key-and-limit.ts";
import { liveChanges } from "./workloads/live-changes.ts";
import { newConnection } from "./workloads/new-connection.ts";
import { smallGet } from "./workloads/small-get.ts";
import { http2Get, tlsGet, tlsNewConnection } from "./workloads/tls.ts";
import { twoWorkers } from "./workloads/two-workers.ts";
import { upload } from "./workloads/upload.ts";
import { websocketEcho } from "./workloads/websocket-echo.ts";

/** Everything that `--workload` can name, in the order in which `all` runs them. */
export const WORKLOADS: readonly Workload[] = [
  smallGet,
  newConnection,
  download("64KB"),
  download("1MB"),
  upload("64KB"),
  upload("1MB"),
  tlsGet,
  tlsNewConnection,
  http2Get,
  websocketEcho,
  fixedRate,
  liveChanges,
  idleConnections,
  twoWorkers,
  accessLog,
  keyAndLimit,
];

/** @throws Error naming the workloads that there are. */
export function findWorkload(name: string): Workload {
  const workload = WORKLOADS.find((each) => each.name === name);
  if (workload !== undefined) return workload;
  throw new Error(`there is no workload "${name}"; choose from all, ${WORKLOADS.map((each) => each.name).join(", ")}`);
}
