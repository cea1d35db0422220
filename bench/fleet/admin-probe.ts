import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "../statistics.ts";
import type { ControlPlane } from "./control-plane.ts";

const PAUSE_MS = 20;

export interface AdminLatency {
  readonly answers: number;
  readonly medianMs: number;
  readonly p99Ms: number;
  readonly slowestMs: number;
}

/** Asks the admin API for the version, one question after the other, while something else goes on. */
export class AdminProbe {
  readonly #controlPlane: ControlPlane;
  readonly #timesMs: number[] = [];
  readonly #done: Promise<void>;
  #isOver = false;

  constructor(controlPlane: ControlPlane) {
    this.#controlPlane = controlPlane;
    this.#done = this.#run();
  }

  async finish(): Promise<AdminLatency> {
    this.#isOver = true;
    await this.#done;
    const at = (share: number) => quantile(this.#timesMs, share);
    return { answers: this.#timesMs.length, medianMs: at(0.5), p99Ms: at(0.99), slowestMs: at(1) };
  }

  async #run(): Promise<void> {
    while (!this.#isOver) {
      const startMs = performance.now();
      await this.#controlPlane.ask("/api/v1/config/hash");
      this.#timesMs.push(performance.now() - startMs);
      await delay(PAUSE_MS);
    }
  }
}
