import type { HealthCheckSettings } from "../../../config/resources/health-check.ts";
import type { Clock } from "../../../core/clock.ts";
import type { Probe } from "./probe.ts";

export type Health = "unknown" | "healthy" | "unhealthy";

/** What checks of a target have found. */
export interface Findings {
  readonly health: Health;
  /** Of the last check that succeeded. */
  readonly latencyMs: number | undefined;
  /** In milliseconds since 1970. */
  readonly lastCheckMs: number | undefined;
  /** Of the last check, if it failed. */
  readonly error: string | undefined;
}

export const NO_FINDINGS: Findings = {
  health: "unknown",
  latencyMs: undefined,
  lastCheckMs: undefined,
  error: undefined,
};

export interface HealthCheckOptions {
  readonly settings: HealthCheckSettings;
  readonly probe: Probe;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  /** What was known before. */
  readonly findings: Findings;
  /** Told when the target has become healthy or unhealthy. */
  readonly onTurn: (findings: Findings) => void;
}

/** Part of the interval by which the next check may be earlier or later. */
const JITTER = 0.1;

/** The checks of one target, one after another: so many results in a row that say the same change what it is taken to be. */
export class HealthCheck {
  findings: Findings;
  readonly #options: HealthCheckOptions;
  #isLastGood = false;
  #inRow = 0;
  #cancel: (() => void) | undefined;
  #running: AbortController | undefined;
  #isStopped = false;

  constructor(options: HealthCheckOptions) {
    this.#options = options;
    this.findings = options.findings;
  }

  /** The first check is made somewhere within the first interval, so that not all targets are asked at once. */
  start(): void {
    const { settings, random } = this.#options;
    this.#next(settings.interval * random());
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancel?.();
    this.#running?.abort();
  }

  #next(delayMs: number): void {
    if (!this.#isStopped) this.#cancel = this.#options.clock.after(delayMs, () => void this.#check());
  }

  /** Never rejects. */
  async #check(): Promise<void> {
    const { settings, clock, probe, random } = this.#options;
    const startMs = clock.monotonicMs();
    this.#running = new AbortController();
    const cancel = clock.after(settings.timeout, () => this.#running?.abort());
    const error = await probe(this.#running.signal).then(
      () => undefined,
      (reason: unknown) => reasonOf(reason),
    );
    cancel();
    if (this.#isStopped) return;
    const tookMs = clock.monotonicMs() - startMs;
    this.#take(error, tookMs);
    this.#next(Math.max(0, settings.interval * (1 + JITTER * (2 * random() - 1)) - tookMs));
  }

  #take(error: string | undefined, tookMs: number): void {
    const { settings, clock, onTurn } = this.#options;
    const isGood = error === undefined;
    this.#inRow = isGood === this.#isLastGood ? this.#inRow + 1 : 1;
    this.#isLastGood = isGood;
    const before = this.findings;
    const isEnough = this.#inRow >= (isGood ? settings.healthy_after : settings.unhealthy_after);
    this.findings = {
      health: isEnough ? (isGood ? "healthy" : "unhealthy") : before.health,
      latencyMs: isGood ? tookMs : before.latencyMs,
      lastCheckMs: clock.now(),
      error,
    };
    if (this.findings.health !== before.health) onTurn(this.findings);
  }
}

function reasonOf(reason: unknown): string {
  if (!(reason instanceof Error)) return String(reason);
  if (reason.name === "AbortError") return "it did not answer in time";
  return "code" in reason ? String(reason.code) : reason.message;
}
