import type { LogLevel, LogLevelControl } from "../../admin/node-control.ts";
import type { Clock } from "../../core/clock.ts";

/** The level of the log: that of the configuration, unless somebody asked for another one for a while. */
export class LogLevelSwitch implements LogLevelControl {
  readonly #logger: { level: LogLevel };
  readonly #clock: Clock;
  #configured: LogLevel;
  #override: LogLevelControl["override"];
  #cancelReturn: () => void = () => {};

  constructor(logger: { level: LogLevel }, clock: Clock) {
    this.#logger = logger;
    this.#clock = clock;
    this.#configured = logger.level;
  }

  get configured(): LogLevel {
    return this.#configured;
  }

  get override(): LogLevelControl["override"] {
    return this.#override;
  }

  /** A configuration went live; what was asked for a while holds until its time is over. */
  configure(level: LogLevel): void {
    this.#configured = level;
    if (this.#override === undefined) this.#logger.level = level;
  }

  set(level: LogLevel, forMs: number): void {
    this.#cancelReturn();
    this.#override = { level, untilMs: this.#clock.now() + forMs };
    this.#logger.level = level;
    this.#cancelReturn = this.#clock.after(forMs, () => this.reset());
  }

  reset(): void {
    this.#cancelReturn();
    this.#override = undefined;
    this.#logger.level = this.#configured;
  }
}
