import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { closeSync, openSync, readFileSync } from "node:fs";
import type { Service } from "../../core/service.ts";

const MAX_SHOWN_LINES = 5;

export interface ChildProgramOptions {
  readonly name: string;
  /** The command line after `runway`. */
  readonly args: readonly string[];
  readonly logFile: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** It ended without having been told to. `how` reads "was killed by SIGKILL" or "ended with exit code 1". */
  onEnd(how: string): void;
}

/** One more process of this program, in a process group of its own, so that Ctrl-C in a terminal reaches the parent alone. */
export class ChildProgram implements Service {
  readonly name: string;
  readonly #options: ChildProgramOptions;
  #child: ChildProcess | undefined;
  #stopping = false;

  constructor(options: ChildProgramOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get isRunning(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** Does nothing once it was told to stop: what is stopped while it starts must not start any further. */
  async start(): Promise<void> {
    if (this.#stopping) return;
    const { args, logFile, env, onEnd } = this.#options;
    const log = openSync(logFile, "a", 0o600);
    try {
      const child = spawn(process.execPath, [...process.execArgv, process.argv[1]!, ...args], {
        stdio: ["ignore", log, log, "ipc"],
        detached: true,
        env: withoutOwnSettings(env),
      });
      this.#child = child;
      child.once("exit", (code, signal) => {
        if (!this.#stopping) onEnd(signal === null ? `ended with exit code ${code}` : `was killed by ${signal}`);
      });
      await once(child, "spawn");
    } finally {
      closeSync(log);
    }
  }

  async stop(deadline: AbortSignal): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child === undefined || !this.isRunning) return;
    const ended = once(child, "exit");
    const kill = () => this.killNow();
    deadline.addEventListener("abort", kill, { once: true });
    child.kill(deadline.aborted ? "SIGKILL" : "SIGTERM");
    await ended;
    deadline.removeEventListener("abort", kill);
  }

  /** Without waiting, for a process that is about to end itself. */
  killNow(): void {
    if (this.isRunning) this.#child?.kill("SIGKILL");
  }

  /** The last lines that it wrote, to show why it did not start. */
  lastLines(): string {
    return readFileSync(this.#options.logFile, "utf8").trimEnd().split("\n").slice(-MAX_SHOWN_LINES).join("\n");
  }
}

/** Settings that are meant for one node would be taken by all of them. */
function withoutOwnSettings(env: Readonly<Record<string, string | undefined>>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("RUNWAY_")));
}
