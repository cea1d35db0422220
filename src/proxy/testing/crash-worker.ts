/** A worker that a test can crash: it throws when it is told its own number. */
import { BroadcastChannel, workerData } from "node:worker_threads";
import type { WorkerBirth } from "../worker/worker-protocol.ts";
import "../worker/worker.ts";

const CRASH_CHANNEL = "crash a worker of a test";

const { worker } = (workerData ?? {}) as Partial<WorkerBirth>;
const channel = new BroadcastChannel(CRASH_CHANNEL);
channel.onmessage = (event) => {
  if ((event as MessageEvent).data === worker) throw new Error("crashed on request");
};
