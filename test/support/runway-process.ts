import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { eventually } from "./eventually.ts";

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg?: string };

export const PROGRAM = new URL("../../bin/runway", import.meta.url).pathname;

/** A real runway process, `runway run -c FILE`, whose log lines can be looked at. */
export class RunwayProcess {
  readonly lines: LogLine[] = [];
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;
  #stderr = "";
  /** When everything that it wrote has been read, too. */
  #isOver = false;

  /** @param cwd the folder in which it runs; this process's when left out */
  constructor(file: string, env: Readonly<Record<string, string>> = {}, cwd?: string) {
    this.#child = spawn(PROGRAM, ["run", "-c", file], {
      cwd,
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#exited = once(this.#child, "exit").then(([code]) => code as number | null);
    createInterface({ input: this.#child.stdout! })
      .on("line", (line) => this.#keep(line))
      .on("close", () => this.#exited.then(() => setImmediate(() => (this.#isOver = true))));
    this.#child.stderr!.on("data", (data: Buffer) => {
      if (this.#stderr.length < 65_536) this.#stderr += data.toString();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  get stderr(): string {
    return this.#stderr;
  }

  /** The first log line that says `message` and satisfies `fits`, waiting for it. @throws Error at once when the process has ended without it */
  async logged(message: string, fits: (line: LogLine) => boolean = () => true, withinMs?: number): Promise<LogLine> {
    const isIt = (line: LogLine) => line.msg === message && fits(line);
    const found = await eventually(
      `log line "${message}"`,
      () => this.lines.find(isIt) ?? (this.#isOver ? "over" : undefined),
      withinMs,
    );
    if (found !== "over") return found;
    throw new Error(`runway exited with ${this.#child.exitCode}: ${this.#stderr}${JSON.stringify(this.lines.at(-1))}`);
  }

  signal(name: NodeJS.Signals): void {
    this.#child.kill(name);
  }

  /** Sends the signal and waits for the end. Returns the exit code, null when the signal ended it. */
  async end(name: NodeJS.Signals = "SIGTERM"): Promise<number | null> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.#child.kill(name);
    return this.#exited;
  }

  exited(): Promise<number | null> {
    return this.#exited;
  }

  #keep(line: string): void {
    if (this.lines.length >= 10_000) this.lines.shift();
    try {
      this.lines.push(JSON.parse(line) as LogLine);
    } catch {
      this.lines.push({ msg: line });
    }
  }
}
