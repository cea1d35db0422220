import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { eventually } from "./eventually.ts";

export const BROWSER = "chromium";

const FLAGS = [
  ...["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"],
  ...["--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"],
  // The authority of a test is believed by nobody else.
  ...["--ignore-certificate-errors", "--remote-debugging-port=0"],
];

interface Reply {
  readonly id?: number;
  readonly result?: Record<string, unknown>;
  readonly error?: { readonly message: string };
}

/** Debian's Chromium with one page, driven over the DevTools protocol. */
export class Browser implements AsyncDisposable {
  readonly #profile = mkdtempSync(join(tmpdir(), "runway-browser-"));
  readonly #process: ChildProcess;
  readonly #waiting = new Map<number, (reply: Reply) => void>();
  #socket: WebSocket | undefined;
  #sessionId: string | undefined;
  #commands = 0;

  constructor() {
    this.#process = spawn(BROWSER, [...FLAGS, `--user-data-dir=${this.#profile}`, "about:blank"], { stdio: "ignore" });
  }

  static async start(): Promise<Browser> {
    const browser = new Browser();
    await browser.#connect();
    return browser;
  }

  /** Goes to `url` and waits until the page is there. */
  async open(url: string): Promise<void> {
    await this.#command("Page.navigate", { url });
    await eventually(`the page at ${url}`, () =>
      this.evaluate(`document.readyState === "complete" && location.href === ${JSON.stringify(url)}`),
    );
  }

  /** What the expression is in the page, once it is resolved. */
  async evaluate(expression: string): Promise<unknown> {
    const options = { expression, awaitPromise: true, returnByValue: true };
    const { result, exceptionDetails } = await this.#command("Runtime.evaluate", options);
    if (exceptionDetails !== undefined) throw new Error(JSON.stringify(exceptionDetails));
    return (result as { value?: unknown }).value;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket?.close();
    const ended = new Promise((resolve) => this.#process.once("exit", resolve));
    if (this.#process.exitCode === null && this.#process.kill("SIGKILL")) await ended;
    rmSync(this.#profile, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  async #connect(): Promise<void> {
    const file = join(this.#profile, "DevToolsActivePort");
    const [port, path] = await eventually("the browser", () => {
      const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
      return lines.length === 2 && lines;
    });
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    socket.addEventListener("message", ({ data }) => this.#onReply(JSON.parse(String(data))));
    await new Promise((resolve, reject) => {
      socket.addEventListener("open", resolve);
      socket.addEventListener("error", reject);
    });
    this.#socket = socket;
    const { targetId } = await this.#command("Target.createTarget", { url: "about:blank" });
    const { sessionId } = await this.#command("Target.attachToTarget", { targetId, flatten: true });
    this.#sessionId = String(sessionId);
  }

  #onReply(reply: Reply): void {
    if (reply.id === undefined) return;
    this.#waiting.get(reply.id)?.(reply);
    this.#waiting.delete(reply.id);
  }

  async #command(method: string, params: object): Promise<Record<string, unknown>> {
    const id = ++this.#commands;
    const replied = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    this.#socket!.send(JSON.stringify({ id, method, params, sessionId: this.#sessionId }));
    const { result, error } = await replied;
    if (error !== undefined) throw new Error(`${method}: ${error.message}`);
    return result ?? {};
  }
}
