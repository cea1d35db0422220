import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { ask } from "../ask.ts";
import { type Usage, usageOfTree } from "../process-tree.ts";
import { waitUntil } from "../wait-until.ts";

const PROGRAM = new URL("../../src/app/main.ts", import.meta.url).pathname;
const CRASH_AGENT = new URL("crash-agent.ts", import.meta.url).href;

export interface SoakedNodeOptions {
  readonly folder: string;
  readonly workers: number;
  readonly steadyPort: number;
  readonly flakyPort: number;
  readonly signal: AbortSignal;
}

interface Stats {
  readonly workers: readonly { readonly state: string; readonly restarts: number }[];
}

/** The real program, standalone, with a route to a target that stays and one to a target that comes and goes. */
export class SoakedNode implements AsyncDisposable {
  readonly port: number;
  readonly #adminUrl: string;
  readonly #adminPort: number;
  readonly #options: SoakedNodeOptions;
  readonly #child: ChildProcess;
  #change = 0;

  private constructor(port: number, adminPort: number, options: SoakedNodeOptions, child: ChildProcess) {
    this.port = port;
    this.#adminPort = adminPort;
    this.#adminUrl = `http://127.0.0.1:${adminPort}`;
    this.#options = options;
    this.#child = child;
  }

  static async start(options: SoakedNodeOptions): Promise<SoakedNode> {
    const [port, adminPort] = [await freePort(), await freePort()];
    const file = fileIn(options.folder);
    await writeFile(file, document({ ...options, port, adminPort, change: 0 }));
    const args = ["--disable-warning=ExperimentalWarning", "--import", CRASH_AGENT, PROGRAM, "run", "-c", file];
    const child = spawn(process.execPath, args, { stdio: ["ignore", "ignore", "inherit", "ipc"] });
    const node = new SoakedNode(port, adminPort, options, child);
    await waitUntil("the node to be ready", async () => (await node.#ask("/ready")).status === 200, {
      timeoutMs: 30_000,
      signal: options.signal,
    });
    return node;
  }

  usage(): Usage {
    return usageOfTree(this.#child.pid!);
  }

  crash(worker: number): void {
    this.#child.send(worker);
  }

  async restarts(): Promise<number> {
    const { workers } = JSON.parse((await this.#ask("/stats")).body) as Stats;
    return workers.reduce((sum, { restarts }) => sum + restarts, 0);
  }

  /** @throws Error when the changed file is not taken, or nothing in it was new. */
  async changeConfiguration(): Promise<void> {
    const { port } = this;
    await writeFile(
      fileIn(this.#options.folder),
      document({ ...this.#options, port, adminPort: this.#adminPort, change: ++this.#change }),
    );
    const { status, body } = await ask(`${this.#adminUrl}/reload`, {
      body: "",
      signal: this.#options.signal,
      timeoutMs: 20_000,
    });
    if (status !== 200 || !body.includes("changing")) throw new Error(`change ${this.#change}: ${status} ${body}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, "exit");
    this.#child.kill("SIGTERM");
    const late = setTimeout(() => this.#child.kill("SIGKILL"), 10_000);
    await exit;
    clearTimeout(late);
  }

  #ask(path: string) {
    return ask(this.#adminUrl + path, { signal: this.#options.signal });
  }
}

function fileIn(folder: string): string {
  return join(folder, "runway.yaml");
}

interface Document extends SoakedNodeOptions {
  readonly port: number;
  readonly adminPort: number;
  readonly change: number;
}

/** Each change renames a route, and every other one opens or closes a listener. */
function document({ port, adminPort, workers, steadyPort, flakyPort, change }: Document): string {
  const to = (target: number) => `backends: [{ url: "http://127.0.0.1:${target}" }]`;
  const more = change % 4 < 2 ? "" : `  - { id: more, address: "127.0.0.1:0" }\n`;
  return `workers: ${workers}
admin: { port: ${adminPort} }
logging: { level: error }
listeners:
  - { id: http, address: "127.0.0.1:${port}" }
${more}routes:
  - { id: steady, path: /steady, ${to(steadyPort)} }
  - { id: flaky, path: /flaky, ${to(flakyPort)} }
  - { id: changing-${change}, path: /changing-${change}, ${to(steadyPort)} }
`;
}
