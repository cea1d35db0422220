import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import { type LoadOptions, type LoadReport, startLoad } from "./load.ts";

interface Birth {
  readonly url: string;
  readonly options: LoadOptions;
}

/** `startLoad` in a thread of its own: it does not wait for the test's thread, nor the test for it. */
export function startLoadThread(url: string, options: LoadOptions): { stop(): Promise<LoadReport> } {
  const thread = new Worker(new URL(import.meta.url), { workerData: { url, options } satisfies Birth });
  return {
    async stop() {
      const report = once(thread, "message");
      thread.postMessage("stop");
      const [answer] = (await report) as [LoadReport];
      await thread.terminate();
      return answer;
    },
  };
}

if (!isMainThread && parentPort !== null) {
  const port = parentPort;
  const { url, options } = workerData as Birth;
  const load = startLoad(url, options);
  port.once("message", () => void load.stop().then((report) => port.postMessage(report)));
}
