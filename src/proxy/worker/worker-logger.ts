import type { Clock } from "../../core/clock.ts";
import type { Logger } from "../../core/ports.ts";
import type { LogLevel, Report } from "./worker-protocol.ts";

/** Lines that a worker may write each second; an upstream that is down must not become a flood of lines. */
const LINES_PER_SECOND = 20;

/** Hands a worker's log lines to the supervisor; of more than it may write it only says how many there were. */
export class WorkerLogger implements Logger {
  readonly #clock: Clock;
  readonly #post: (report: Report) => void;
  readonly #fields: Record<string, unknown>;
  #windowStartMs = 0;
  #lines = 0;

  constructor(clock: Clock, post: (report: Report) => void, fields: Record<string, unknown> = {}) {
    this.#clock = clock;
    this.#post = post;
    this.#fields = fields;
  }

  debug(message: string, fields?: Record<string, unknown>): void {
    this.#log("debug", message, fields);
  }

  info(message: string, fields?: Record<string, unknown>): void {
    this.#log("info", message, fields);
  }

  warn(message: string, fields?: Record<string, unknown>): void {
    this.#log("warn", message, fields);
  }

  error(message: string, fields?: Record<string, unknown>): void {
    this.#log("error", message, fields);
  }

  child(fields: Record<string, unknown>): Logger {
    return new WorkerLogger(this.#clock, this.#post, { ...this.#fields, ...fields });
  }

  #log(level: LogLevel, message: string, fields?: Record<string, unknown>): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#windowStartMs >= 1_000) {
      const left = this.#lines - LINES_PER_SECOND;
      if (left > 0)
        this.#post({ type: "log", level: "warn", message: "log lines were left out", fields: { lines: left } });
      this.#windowStartMs = nowMs;
      this.#lines = 0;
    }
    if (++this.#lines <= LINES_PER_SECOND)
      this.#post({ type: "log", level, message, fields: { ...this.#fields, ...fields } });
  }
}
