/**
 * What may fail in a soak, and nothing else:
 *
 * - A worker that is killed takes with it the requests that are in flight on its connections, and connections that it had not accepted
 *   yet. So a connection that ends without an answer within `KILL_GRACE_MS` after a kill is expected; an answer that is not 200 is not.
 * - A target that is down is answered for with 502 or 503 on the route that leads to it, from when it goes until `TARGET_GRACE_MS`
 *   after it is back, and an answer that it had begun is cut. On every other route nothing is expected to fail.
 *
 * Changes of configuration excuse nothing.
 */
export const KILL_GRACE_MS = 1_000;
export const TARGET_GRACE_MS = 1_000;

const MAX_KEPT = 50;
const WHILE_DOWN: ReadonlySet<string> = new Set(["status 502", "status 503", "closed"]);

export interface Failure {
  readonly atMs: number;
  readonly path: string;
  /** `status 502`, or `closed` where no answer came. */
  readonly what: string;
}

/** Sorts failures into those that are expected and those that are not, by what was done to the node around that time. */
export class FailureLedger {
  inKilledWorkers = 0;
  ofTargetsDown = 0;
  unexpected = 0;
  /** The first of the unexpected ones. */
  readonly kept: Failure[] = [];
  readonly #flakyPath: string;
  readonly #killsMs: number[] = [];
  readonly #downs: { readonly fromMs: number; untilMs: number }[] = [];

  constructor(flakyPath: string) {
    this.#flakyPath = flakyPath;
  }

  killed(atMs: number): void {
    this.#killsMs.push(atMs);
  }

  targetFailed(atMs: number): void {
    this.#downs.push({ fromMs: atMs, untilMs: Number.POSITIVE_INFINITY });
  }

  targetIsBack(atMs: number): void {
    const down = this.#downs.at(-1);
    if (down !== undefined) down.untilMs = atMs + TARGET_GRACE_MS;
  }

  add(failure: Failure): void {
    const { atMs, path, what } = failure;
    const isIn = (fromMs: number, untilMs: number) => atMs >= fromMs && atMs <= untilMs;
    if (what === "closed" && this.#killsMs.some((killMs) => isIn(killMs, killMs + KILL_GRACE_MS)))
      this.inKilledWorkers++;
    else if (
      path === this.#flakyPath &&
      WHILE_DOWN.has(what) &&
      this.#downs.some(({ fromMs, untilMs }) => isIn(fromMs, untilMs))
    )
      this.ofTargetsDown++;
    else {
      this.unexpected++;
      if (this.kept.length < MAX_KEPT) this.kept.push(failure);
    }
  }
}
