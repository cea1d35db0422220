import { BUCKETS, bucketOf } from "./latency-histogram.ts";

/**
 * What all workers count, in memory that the supervisor reads whenever it likes. Each worker has a row of 64-bit cells that it
 * alone writes, so counting needs neither a lock nor an atomic operation; an aligned 64-bit cell is written whole.
 * The row of a worker outlives it: its replacement counts on.
 */
const CELLS = [
  "activeConnections",
  "activeRequests",
  "connectionsTotal",
  "status1xx",
  "status2xx",
  "status3xx",
  "status4xx",
  "status5xx",
  "clientsGone",
  "gatewayFailures",
  "upstreamConnectionsTotal",
  "durationSumMs",
  "eventLoopLagP99Ms",
] as const;

export type Cell = (typeof CELLS)[number];

const INDEX = Object.fromEntries(CELLS.map((cell, index) => [cell, index])) as Record<Cell, number>;
const HISTOGRAM = CELLS.length;
const ROW = HISTOGRAM + BUCKETS;
const FIRST_STATUS = INDEX.status1xx - 1;
/** Cells that say how many there are now, and so start from zero with a new worker. */
const GAUGES: readonly Cell[] = ["activeConnections", "activeRequests", "eventLoopLagP99Ms"];

/** One worker's row, as the worker sees it. */
export class WorkerCells {
  readonly #cells: Float64Array;

  constructor(memory: SharedArrayBuffer, worker: number) {
    this.#cells = new Float64Array(memory, worker * ROW * 8, ROW);
  }

  add(cell: Cell, amount: number): void {
    this.#cells[INDEX[cell]]! += amount;
  }

  set(cell: Cell, value: number): void {
    this.#cells[INDEX[cell]] = value;
  }

  /** Counts an answer. */
  answered(status: number, durationMs: number): void {
    const cells = this.#cells;
    cells[FIRST_STATUS + Math.floor(status / 100)]! += 1;
    cells[INDEX.durationSumMs]! += durationMs;
    cells[HISTOGRAM + bucketOf(durationMs)]! += 1;
  }

  resetGauges(): void {
    for (const gauge of GAUGES) this.set(gauge, 0);
  }
}

/** All rows, as the supervisor sees them. */
export class SharedState {
  readonly memory: SharedArrayBuffer;
  readonly #rows: readonly Float64Array[];

  constructor(workers: number) {
    this.memory = new SharedArrayBuffer(workers * ROW * 8);
    this.#rows = Array.from({ length: workers }, (_, worker) => new Float64Array(this.memory, worker * ROW * 8, ROW));
  }

  sum(...cells: readonly Cell[]): number {
    let sum = 0;
    for (const row of this.#rows) for (const cell of cells) sum += row[INDEX[cell]]!;
    return sum;
  }

  max(cell: Cell): number {
    return Math.max(...this.#rows.map((row) => row[INDEX[cell]]!));
  }

  /** How many answers took how long, see latency-histogram.ts. */
  latencies(): Float64Array {
    const counts = new Float64Array(BUCKETS);
    for (const row of this.#rows)
      for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket]! += row[HISTOGRAM + bucket]!;
    return counts;
  }
}
