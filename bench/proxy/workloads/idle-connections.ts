import { setTimeout as delay } from "node:timers/promises";
import { IdleConnections } from "../../idle-connections.ts";
import { requireOpenFiles } from "../../open-files.ts";
import type { Workload } from "../workload.ts";

const CONNECTIONS = 10_000;
const SETTLE_MS = 1_000;

/** Memory of the process for clients that stay without asking. What the kernel keeps for their sockets is not in it. */
export const idleConnections: Workload = {
  name: "idle-connections",
  title: "Memory of 10,000 idle connections",
  requires: [],
  needs: [],
  compares: "bytesPerConnection",
  startsAnew: true,
  async load(proxy, _, signal) {
    requireOpenFiles(CONNECTIONS);
    await delay(SETTLE_MS, undefined, { signal });
    const beforeBytes = proxy.usage().rssBytes;
    using connections = new IdleConnections();
    await connections.open(proxy.port, CONNECTIONS, signal);
    const bytesPerConnection = (proxy.usage().rssBytes - beforeBytes) / CONNECTIONS;
    const closed = CONNECTIONS - connections.size;
    return { requests: CONNECTIONS, figures: { bytesPerConnection }, failures: closed > 0 ? { closed } : {} };
  },
};
