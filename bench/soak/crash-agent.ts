/**
 * Loaded into a soaked node, and into nothing else, with `--import`, which every worker thread does as well: when the parent process
 * sends a worker's number, that worker throws as if by a defect. The program itself knows nothing of it.
 */
import { BroadcastChannel, isMainThread, workerData } from "node:worker_threads";

const channel = new BroadcastChannel("crash a worker of a soaked node");
if (isMainThread) {
  process.on("message", (worker) => channel.postMessage(worker));
  channel.unref();
} else {
  channel.onmessage = (event) => {
    if ((event as MessageEvent).data === (workerData as { worker?: number }).worker)
      throw new Error("crashed on request");
  };
}
