import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as delay } from "node:timers/promises";
import { onCore } from "./cores.ts";
import { type Usage, usageOfTree } from "./process-tree.ts";
import { waitUntil } from "./wait-until.ts";

const KEPT_OUTPUT_CHARS = 4_000;
const STOP_TIMEOUT_MS = 10_000;

/** A program that runs on one core until it is disposed of. */
export class PinnedProcess implements AsyncDisposable {
  readonly #name: string;
  readonly #child: ChildProcess;
  #output = "";

  private constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding("utf8").on("data", (text: string) => {
        this.#output = (this.#output + text).slice(-KEPT_OUTPUT_CHARS);
      });
  }

  static async start(core: number, program: string, args: readonly string[]): Promise<PinnedProcess> {
    const pinned = onCore(core, program, args);
    const child = spawn(pinned.command, pinned.args, { stdio: ["ignore", "pipe", "pipe"] });
    await once(child, "spawn");
    return new PinnedProcess(program, child);
  }

  get pid(): number {
    return this.#child.pid!;
  }

  usage(): Usage {
    return usageOfTree(this.pid);
  }

  /** @throws Error with what the program said last when it ends, or is not ready within `timeoutMs`. */
  async ready(isReady: () => Promise<boolean>, signal: AbortSignal, timeoutMs = 15_000): Promise<void> {
    try {
      await waitUntil(`${this.#name} to be ready`, async () => this.#ended() || (await isReady()), {
        timeoutMs,
        signal,
      });
      if (this.#ended()) throw new Error(`${this.#name} ended at once`);
    } catch (cause) {
      throw new Error(`${this.#name} did not start. It said: ${this.#output.trim() || "nothing"}`, { cause });
    }
  }

  /** Ends it without notice, as a crash would. */
  async kill(): Promise<void> {
    await this.#end("SIGKILL");
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const patience = new AbortController();
    await Promise.race([
      this.#end("SIGTERM"),
      delay(STOP_TIMEOUT_MS, undefined, { signal: patience.signal }).catch(() => {}),
    ]);
    patience.abort();
    await this.#end("SIGKILL");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    if (this.#ended()) return;
    const exit = once(this.#child, "exit");
    this.#child.kill(signal);
    await exit;
  }

  #ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }
}
