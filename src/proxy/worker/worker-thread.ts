import { Worker } from "node:worker_threads";
import { ConfigurationRefused } from "../configuration-refused.ts";
import type { Command, Report, WorkerBirth } from "./worker-protocol.ts";

/** The thread went away before it answered. */
export class WorkerLost extends Error {}

/** What a thread says unasked. */
export type Notice = Extract<Report, { readonly type: "log" | "events" | "access" }>;

export interface WorkerThreadOptions {
  readonly entry: URL;
  readonly birth: WorkerBirth;
  readonly onNotice: (notice: Notice) => void;
  /** It is gone, and whoever waited for it has been told. */
  readonly onExit: (cause: unknown) => void;
}

/** One thread, from its birth to its end. It is asked one thing at a time. */
export class WorkerThread {
  readonly #options: WorkerThreadOptions;
  readonly #ready = Promise.withResolvers<void>();
  /** Undefined before and after its life. */
  #worker: Worker | undefined;
  #answer: PromiseWithResolvers<number> | undefined;

  constructor(options: WorkerThreadOptions) {
    this.#options = options;
  }

  /** Answers when it takes commands. @throws WorkerLost when it never does */
  async start(): Promise<void> {
    const { entry, birth } = this.#options;
    const worker = new Worker(entry, { workerData: birth, name: `runway-worker-${birth.worker}` });
    this.#worker = worker;
    let cause: unknown;
    worker.on("message", (report: Report) => this.#onReport(report));
    worker.on("error", (error) => {
      cause = error;
    });
    worker.on("exit", (code) => this.#onExit(cause ?? `exit code ${code}`));
    await this.#ready.promise;
  }

  /**
   * Answers how long it took there, in milliseconds.
   * @throws ConfigurationRefused, or WorkerLost when there will be no answer
   */
  async call(command: Command): Promise<number> {
    while (this.#answer !== undefined) await this.#answer.promise.catch(() => {});
    if (this.#worker === undefined) throw new WorkerLost("the worker is gone");
    const answer = Promise.withResolvers<number>();
    this.#answer = answer;
    this.#worker.postMessage(command);
    return answer.promise;
  }

  async terminate(): Promise<void> {
    await this.#worker?.terminate();
  }

  #onReport(report: Report): void {
    switch (report.type) {
      case "ready":
        this.#ready.resolve();
        break;
      case "done":
        this.#takeAnswer()?.resolve(report.tookMs);
        break;
      case "refused":
        this.#takeAnswer()?.reject(new ConfigurationRefused(report.problems));
        break;
      default:
        this.#options.onNotice(report);
    }
  }

  #onExit(cause: unknown): void {
    this.#worker = undefined;
    const lost = new WorkerLost("the worker is gone", { cause });
    this.#takeAnswer()?.reject(lost);
    this.#ready.reject(lost);
    this.#options.onExit(cause);
  }

  #takeAnswer(): PromiseWithResolvers<number> | undefined {
    const answer = this.#answer;
    this.#answer = undefined;
    return answer;
  }
}
