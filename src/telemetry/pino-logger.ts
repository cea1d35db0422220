import { type DestinationStream, type Logger as Pino, pino } from "pino";
import type { Logger } from "../core/ports.ts";
import { LineOutput } from "./line-output.ts";
import { TerminalLines } from "./terminal-lines.ts";

export const LOG_LEVELS = ["debug", "info", "warn", "error"] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** The level in force, shared by a logger and all its children, so that one assignment changes them all. */
interface Threshold {
  level: LogLevel;
}

/**
 * The port of core over pino: one JSON object a line with `level`, `time` (RFC 3339), `msg` and the fields. Writing never
 * blocks the event loop and never ends the process: a reader that is too slow or gone costs lines, not requests.
 */
export class PinoLogger implements Logger {
  readonly #pino: Pino;
  readonly #threshold: Threshold;

  private constructor(target: Pino, threshold: Threshold) {
    this.#pino = target;
    this.#threshold = threshold;
  }

  /** Writes to standard output: JSON, or one readable line when a person reads it in a terminal. */
  static toStandardOutput(options: { level: LogLevel; terminal: boolean }): { logger: PinoLogger; stdout: LineOutput } {
    const stdout = new LineOutput(1);
    const logger = PinoLogger.to(options.terminal ? new TerminalLines(stdout) : stdout, options.level);
    return { logger, stdout };
  }

  static to(stream: DestinationStream, level: LogLevel): PinoLogger {
    const target = pino(
      {
        level: "debug",
        base: null,
        timestamp: pino.stdTimeFunctions.isoTime,
        formatters: { level: (label) => ({ level: label }), log: showErrors },
      },
      stream,
    );
    return new PinoLogger(target, { level });
  }

  get level(): LogLevel {
    return this.#threshold.level;
  }

  /** Takes effect at once, also on every child and parent. */
  set level(level: LogLevel) {
    this.#threshold.level = level;
  }

  debug(message: string, fields?: Record<string, unknown>): void {
    this.#write("debug", message, fields);
  }

  info(message: string, fields?: Record<string, unknown>): void {
    this.#write("info", message, fields);
  }

  warn(message: string, fields?: Record<string, unknown>): void {
    this.#write("warn", message, fields);
  }

  error(message: string, fields?: Record<string, unknown>): void {
    this.#write("error", message, fields);
  }

  child(fields: Record<string, unknown>): PinoLogger {
    return new PinoLogger(this.#pino.child(fields), this.#threshold);
  }

  #write(level: LogLevel, message: string, fields: Record<string, unknown> | undefined): void {
    if (LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(this.#threshold.level)) return;
    if (fields === undefined) this.#pino[level](message);
    else this.#pino[level](fields, message);
  }
}

/** Error objects have no enumerable properties: without this they would be logged as `{}`. */
function showErrors(fields: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      value instanceof Error ? pino.stdSerializers.err(value) : value,
    ]),
  );
}
