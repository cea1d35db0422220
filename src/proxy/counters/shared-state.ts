import { CALL_STATUSES } from "./call-statuses.ts";
import { DURATION_BUCKETS, durationBucketOf } from "./duration-buckets.ts";
import { BUCKETS, bucketOf } from "./latency-histogram.ts";

/**
 * What all workers count, in memory that the supervisor reads whenever it likes. Each worker has a row of 64-bit cells that it
 * alone writes, so counting needs neither a lock nor an atomic operation; an aligned 64-bit cell is written whole.
 * The row of a worker outlives it: its replacement counts on.
 *
 * A row begins with the cells of the worker, then its latencies (latency-histogram.ts), then the cells of each route
 * (route-slots.ts), and last how the calls of gRPC of each route ended. The system gives memory to a row only where it was written to, so places of routes that are not there
 * cost none. What an ordinary request counts of its route is the first cells of its place, which are one line of the
 * processor's cache: of a hundred thousand places hardly one is in it.
 */
const CELLS = [
  "activeConnections",
  "activeRequests",
  "activeTunnels",
  "connectionsTotal",
  "connectionsRefused",
  "proxyHeadersMissing",
  "proxyHeadersMalformed",
  "proxyHeadersTimedOut",
  "status1xx",
  "status2xx",
  "status3xx",
  "status4xx",
  "status5xx",
  "clientsGone",
  "gatewayFailures",
  "http2Floods",
  "upstreamConnectionsTotal",
  "handshakesTimedOut",
  "handshakesClosed",
  "handshakesNotTls",
  "handshakesMismatched",
  "handshakesUnauthorized",
  "handshakesRefused",
  "handshakesOverloaded",
  "handshakesFailedOtherwise",
  "eventLoopLagP99Ms",
  /** 1 while the worker's event loop does not keep up. */
  "isLate",
  /** 1 while the process is short of memory; written by the supervisor. */
  "isMemoryShort",
  "requestsShed",
  "accessLogDropped",
] as const;
const FIRST_ROUTE_CELLS = ["status2xx", "responseBytes", "durationSumMs", "upstreamSumMs"] as const;
/** Behind the two histograms, whose buckets take turns, from the shortest. */
const LAST_ROUTE_CELLS = [
  "status1xx",
  "status3xx",
  "status4xx",
  "status5xx",
  "requestBytes",
  "upstreamFailures",
  "retries",
  "retriesRefused",
] as const;

export type Cell = (typeof CELLS)[number];
export type RouteCell = (typeof FIRST_ROUTE_CELLS)[number] | (typeof LAST_ROUTE_CELLS)[number];

const CELLS_OF_A_LINE = 8;
const DURATIONS = FIRST_ROUTE_CELLS.length;
const UPSTREAM_DURATIONS = DURATIONS + 1;
const LAST = DURATIONS + 2 * DURATION_BUCKETS;
const ROUTE_ROW = wholeLines(LAST + LAST_ROUTE_CELLS.length);
/** In a table of their own, of which a route without such calls touches nothing. */
const CALLS_ROW = wholeLines(CALL_STATUSES.length);
const INDEX = indexOf(CELLS);
const ROUTE_INDEX = { ...indexOf(FIRST_ROUTE_CELLS), ...indexOf(LAST_ROUTE_CELLS, LAST) };
/** By class of status, from 1xx. Every request that was answered is in one of them. */
const STATUS_INDEX = [
  ROUTE_INDEX.status1xx,
  ROUTE_INDEX.status2xx,
  ROUTE_INDEX.status3xx,
  ROUTE_INDEX.status4xx,
  ROUTE_INDEX.status5xx,
];
const HISTOGRAM = CELLS.length;
const ROUTES = wholeLines(HISTOGRAM + BUCKETS);
/**
 * Places for routes, two of which are shared (route-slots.ts): 320 bytes each, 42 MB a worker if all of them are used, and 25 MB more if all have calls of gRPC.
 */
const MAX_ROUTES = 131_072;
/** Cells that say how many there are now, and so start from zero with a new worker. */
const GAUGES: readonly Cell[] = ["activeConnections", "activeRequests", "activeTunnels", "eventLoopLagP99Ms", "isLate"];

function indexOf<Name extends string>(names: readonly Name[], first = 0): Record<Name, number> {
  return Object.fromEntries(names.map((name, index) => [name, first + index])) as Record<Name, number>;
}

function wholeLines(cells: number): number {
  return Math.ceil(cells / CELLS_OF_A_LINE) * CELLS_OF_A_LINE;
}

/** Where the table of calls begins. */
function callsOf(maxRoutes: number): number {
  return ROUTES + maxRoutes * ROUTE_ROW;
}

/** Of a length that is said, since the engine looks up at each use how long memory that may grow has become. */
function cellsIn(row: SharedArrayBuffer): Float64Array {
  return new Float64Array(row, 0, row.byteLength / Float64Array.BYTES_PER_ELEMENT);
}

/** One worker's row, as the worker sees it. A route is named by its place. */
export class WorkerCells {
  readonly #cells: Float64Array;
  readonly #calls: number;

  constructor(row: SharedArrayBuffer) {
    this.#cells = cellsIn(row);
    this.#calls = callsOf((this.#cells.length - ROUTES) / (ROUTE_ROW + CALLS_ROW));
  }

  get(cell: Cell): number {
    return this.#cells[INDEX[cell]]!;
  }

  add(cell: Cell, amount: number): void {
    this.#cells[INDEX[cell]]! += amount;
  }

  set(cell: Cell, value: number): void {
    this.#cells[INDEX[cell]] = value;
  }

  /** Counts an answer; bytes are those of the bodies. */
  answered(slot: number, status: number, durationMs: number, requestBytes: number, responseBytes: number): void {
    const cells = this.#cells;
    const route = ROUTES + slot * ROUTE_ROW;
    const ofStatus = Math.min(5, Math.floor(status / 100)) - 1;
    cells[INDEX.status1xx + ofStatus]! += 1;
    cells[HISTOGRAM + bucketOf(durationMs)]! += 1;
    cells[route + STATUS_INDEX[ofStatus]!]! += 1;
    if (requestBytes > 0) cells[route + ROUTE_INDEX.requestBytes]! += requestBytes;
    cells[route + ROUTE_INDEX.responseBytes]! += responseBytes;
    cells[route + ROUTE_INDEX.durationSumMs]! += durationMs;
    cells[route + DURATIONS + 2 * durationBucketOf(durationMs)]! += 1;
  }

  /** Counts a response of an upstream that began after `latencyMs`. */
  upstreamAnswered(slot: number, latencyMs: number): void {
    const route = ROUTES + slot * ROUTE_ROW;
    this.#cells[route + ROUTE_INDEX.upstreamSumMs]! += latencyMs;
    this.#cells[route + UPSTREAM_DURATIONS + 2 * durationBucketOf(latencyMs)]! += 1;
  }

  /** Counts a request that an upstream did not answer, or not to the end. */
  upstreamFailed(slot: number): void {
    this.#cells[ROUTES + slot * ROUTE_ROW + ROUTE_INDEX.upstreamFailures]! += 1;
  }

  /** Counts a call of gRPC that is over, by the place of its status in CALL_STATUSES. */
  called(slot: number, status: number): void {
    this.#cells[this.#calls + slot * CALLS_ROW + status]! += 1;
  }

  addTo(slot: number, cell: "retries" | "retriesRefused", amount: number): void {
    this.#cells[ROUTES + slot * ROUTE_ROW + ROUTE_INDEX[cell]]! += amount;
  }

  resetGauges(): void {
    for (const gauge of GAUGES) this.set(gauge, 0);
  }
}

/** All rows, as the supervisor sees them. */
export class SharedState {
  /** One for each worker. */
  readonly rows: readonly SharedArrayBuffer[];
  readonly maxRoutes: number;
  readonly #rows: readonly Float64Array[];
  /** What places held when they were given to another route. Rows are written by their workers alone. */
  readonly #bases = new Map<number, Float64Array>();

  constructor(workers: number, maxRoutes = MAX_ROUTES) {
    const bytes = (ROUTES + maxRoutes * (ROUTE_ROW + CALLS_ROW)) * Float64Array.BYTES_PER_ELEMENT;
    this.maxRoutes = maxRoutes;
    // What may grow begins with a page, so that lines of the cache begin where we think; other memory begins 16 octets behind one.
    this.rows = Array.from({ length: workers }, () => new SharedArrayBuffer(bytes, { maxByteLength: bytes }));
    this.#rows = this.rows.map(cellsIn);
  }

  sum(...cells: readonly Cell[]): number {
    let sum = 0;
    for (const row of this.#rows) for (const cell of cells) sum += row[INDEX[cell]]!;
    return sum;
  }

  max(cell: Cell): number {
    return Math.max(...this.#rows.map((row) => row[INDEX[cell]]!));
  }

  /** Of the cells that the supervisor writes. */
  setAll(cell: "isMemoryShort", value: number): void {
    for (const row of this.#rows) row[INDEX[cell]] = value;
  }

  /** How many answers took how long, see latency-histogram.ts. */
  latencies(): Float64Array {
    const counts = new Float64Array(BUCKETS);
    for (const row of this.#rows)
      for (let bucket = 0; bucket < BUCKETS; bucket++) counts[bucket]! += row[HISTOGRAM + bucket]!;
    return counts;
  }

  route(slot: number): RouteNumbers {
    const sum = this.#sumRoute(slot);
    const base = this.#bases.get(slot);
    if (base !== undefined) for (let cell = 0; cell < sum.length; cell++) sum[cell]! -= base[cell]!;
    return new RouteNumbers(sum);
  }

  /** Whether any request was counted there. */
  hasCounted(slot: number): boolean {
    const start = ROUTES + slot * ROUTE_ROW;
    const base = this.#bases.get(slot);
    for (const cell of STATUS_INDEX) {
      let sum = 0;
      for (const row of this.#rows) sum += row[start + cell]!;
      if (sum !== (base?.[cell] ?? 0)) return true;
    }
    return false;
  }

  /** From now on the place counts another route, from zero. */
  restart(slot: number): void {
    this.#bases.set(slot, this.#sumRoute(slot));
  }

  #sumRoute(slot: number): Float64Array {
    const sum = new Float64Array(ROUTE_ROW + CALLS_ROW);
    const start = ROUTES + slot * ROUTE_ROW;
    const calls = callsOf(this.maxRoutes) + slot * CALLS_ROW;
    for (const row of this.#rows) {
      for (let cell = 0; cell < ROUTE_ROW; cell++) sum[cell]! += row[start + cell]!;
      for (let cell = 0; cell < CALLS_ROW; cell++) sum[ROUTE_ROW + cell]! += row[calls + cell]!;
    }
    return sum;
  }
}

/** What was counted of one route. */
export class RouteNumbers {
  readonly #cells: Float64Array;

  constructor(cells: Float64Array) {
    this.#cells = cells;
  }

  get(cell: RouteCell): number {
    return this.#cells[ROUTE_INDEX[cell]]!;
  }

  /** Adds those of another route. */
  add(other: RouteNumbers): void {
    for (let cell = 0; cell < this.#cells.length; cell++) this.#cells[cell]! += other.#cells[cell]!;
  }

  static none(): RouteNumbers {
    return new RouteNumbers(new Float64Array(ROUTE_ROW + CALLS_ROW));
  }

  /** How many calls of gRPC ended with which of CALL_STATUSES. */
  get calls(): Float64Array {
    return this.#cells.subarray(ROUTE_ROW, ROUTE_ROW + CALL_STATUSES.length);
  }

  /** How many answers took how long, see duration-buckets.ts. */
  get durations(): Float64Array {
    return this.#buckets(DURATIONS);
  }

  /** How many responses of upstreams took how long to begin. */
  get upstreamDurations(): Float64Array {
    return this.#buckets(UPSTREAM_DURATIONS);
  }

  #buckets(first: number): Float64Array {
    return Float64Array.from({ length: DURATION_BUCKETS }, (_, bucket) => this.#cells[first + 2 * bucket]!);
  }
}
