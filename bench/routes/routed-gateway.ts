import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { MEASURED_CORE, onCore } from "../cores.ts";
import { type Usage, usageOfTree } from "../process-tree.ts";
import type { ChangeTimes, HostReport, HostRequest } from "./gateway-host.ts";

const HOST = new URL("gateway-host.ts", import.meta.url).pathname;

/** A gateway with a table of routes, in a process of its own on the measured core. */
export class RoutedGateway implements AsyncDisposable {
  readonly routes: number;
  readonly port: number;
  readonly loadMs: number;
  readonly memoryBytes: number;
  readonly #child: ChildProcess;

  private constructor(routes: number, child: ChildProcess, ready: Extract<HostReport, { type: "ready" }>) {
    this.routes = routes;
    this.port = ready.port;
    this.loadMs = ready.loadMs;
    this.memoryBytes = ready.memoryBytes;
    this.#child = child;
  }

  static async start(routes: number, originPort: number, signal: AbortSignal): Promise<RoutedGateway> {
    const { command, args } = onCore(MEASURED_CORE, process.execPath, [HOST, String(routes), String(originPort)]);
    const child = spawn(command, args, { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const [ready] = (await once(child, "message", { signal })) as [Extract<HostReport, { type: "ready" }>];
    return new RoutedGateway(routes, child, ready);
  }

  usage(): Usage {
    return usageOfTree(this.#child.pid!);
  }

  /** Adds, changes and removes one route in turn. */
  async change(request: HostRequest, signal: AbortSignal): Promise<readonly ChangeTimes[]> {
    this.#child.send(request);
    const [answer] = (await once(this.#child, "message", { signal })) as [Extract<HostReport, { type: "changed" }>];
    return answer.changes;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.disconnect();
    await exit;
  }
}
