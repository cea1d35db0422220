import type { OutlierDetection } from "../../../config/resources/outlier-detection.ts";

/** How often and since when a target is left out for failing requests. */
export class Ejection {
  /** Over all time. */
  total = 0;
  /** Counts up with each time and down with each interval without one; the time grows with it. */
  #severity = 0;
  #untilMs = 0;
  #calmSinceMs = 0;

  /** @returns how long it lasts */
  begin({ ejection_time, max_ejection_time }: OutlierDetection, nowMs: number): number {
    this.total++;
    this.#severity++;
    const lastsMs = Math.min(max_ejection_time, ejection_time * this.#severity);
    this.#untilMs = nowMs + lastsMs;
    return lastsMs;
  }

  isOver(nowMs: number): boolean {
    return nowMs >= this.#untilMs;
  }

  end(nowMs: number): void {
    this.#calmSinceMs = nowMs;
  }

  /** To be called while it is not left out. */
  calm({ ejection_time }: OutlierDetection, nowMs: number): void {
    if (this.#severity === 0 || nowMs - this.#calmSinceMs < ejection_time) return;
    this.#severity--;
    this.#calmSinceMs = nowMs;
  }
}
