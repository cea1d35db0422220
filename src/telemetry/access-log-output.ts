import { closeSync, constants, openSync } from "node:fs";
import type { Clock } from "../core/clock.ts";
import type { Logger } from "../core/ports.ts";
import { LineOutput } from "./line-output.ts";

const { O_APPEND, O_CREAT, O_NONBLOCK, O_WRONLY } = constants;
/** How long to wait before a file that could not be opened or written is tried again. */
const RETRY_MS = 5_000;

export interface AccessLogOutputOptions {
  readonly stdout: LineOutput;
  readonly logger: Logger;
  readonly clock: Clock;
}

/**
 * Where the lines of the access log go: standard output, between the lines of the log, or a file that only its owner may
 * read. Never blocks and never fails: a file that cannot be written costs lines, which are counted, and is tried again.
 */
export class AccessLogOutput {
  readonly #options: AccessLogOutputOptions;
  /** Undefined is standard output. */
  #path: string | undefined;
  #file: { readonly output: LineOutput; readonly descriptor: number } | undefined;
  #nextTryMs = 0;
  #dropped = 0;

  constructor(options: AccessLogOutputOptions) {
    this.#options = options;
  }

  /** Lines that were not written. */
  get dropped(): number {
    return this.#dropped + (this.#file?.output.dropped ?? 0);
  }

  /** @param target `stdout` or the path of a file, which is opened with its first line */
  set target(target: string) {
    const path = target === "stdout" ? undefined : target;
    if (path === this.#path) return;
    this.#path = path;
    this.reopen();
  }

  /** Opens the file anew: the one that was open may have been moved away. */
  reopen(): void {
    const file = this.#file;
    this.#file = undefined;
    this.#nextTryMs = 0;
    file?.output.whenIdle(() => {
      this.#dropped += file.output.dropped;
      closeSync(file.descriptor);
    });
  }

  write(octets: Uint8Array, lines: number): void {
    const output = this.#path === undefined ? this.#options.stdout : this.#openFile(this.#path);
    if (output === undefined) {
      this.#dropped += lines;
      return;
    }
    const before = output.dropped;
    output.write(octets, lines);
    // What standard output drops of ours is counted here; a file's own count is read.
    if (this.#path === undefined) this.#dropped += output.dropped - before;
  }

  flush(): void {
    this.#file?.output.flush();
  }

  #openFile(path: string): LineOutput | undefined {
    if (this.#file !== undefined && !this.#file.output.isGone) return this.#file.output;
    const { clock, logger } = this.#options;
    if (clock.monotonicMs() < this.#nextTryMs) return undefined;
    if (this.#file !== undefined) this.reopen();
    this.#nextTryMs = clock.monotonicMs() + RETRY_MS;
    try {
      // Not blocking, since a pipe that nobody reads would otherwise hold up the process.
      const descriptor = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NONBLOCK, 0o600);
      this.#file = { output: new LineOutput(descriptor), descriptor };
    } catch (error) {
      logger.error("The access log cannot be written", { path, error });
    }
    return this.#file?.output;
  }
}
