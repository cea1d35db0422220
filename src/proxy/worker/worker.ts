/** Entry of a worker thread. */
import { parentPort, workerData } from "node:worker_threads";
import { systemClock } from "../../core/clock.ts";
import { loadPlugins } from "../../sdk/load-plugins.ts";
import { WorkerCells } from "../counters/shared-state.ts";
import { ProxyWorker } from "./proxy-worker.ts";
import type { Command, WorkerBirth } from "./worker-protocol.ts";

const port = parentPort;
if (port === null) throw new Error("this module is started by the supervisor, as a worker thread");
const { worker, row, plugins, shared } = workerData as WorkerBirth;
const loaded = await loadPlugins(plugins);
const proxyWorker = new ProxyWorker(worker, systemClock, new WorkerCells(row), (report) => port.postMessage(report), {
  plugins: loaded,
  memory: shared,
});
port.on("message", (command: Command) => {
  proxyWorker.handle(command).catch((error: unknown) => {
    throw error; // Reaches the supervisor, which replaces this worker.
  });
});
proxyWorker.start();
