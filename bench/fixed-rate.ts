/**
 * An open loop: requests are due at times that are fixed beforehand, whether or not those before were answered. A request
 * that finds every connection busy waits, and its latency counts from when it was due, so a pause of the proxy shows in
 * each request that it delayed (no coordinated omission).
 *
 * Timers of the event loop have steps of a millisecond, too coarse for latencies of a tenth of it. So the loop polls its
 * sockets, asks what is due, and sleeps at most `NAP_MS` before it looks again, which leaves the core to the origin. What
 * it is late itself is measured and reported: a latency that is not well above it is the generator's and not the proxy's.
 */
import { setImmediate as turn } from "node:timers/promises";
import { HttpConnection } from "./http-connection.ts";
import { quantile } from "./statistics.ts";

const NAP_MS = 0.05;
/** A proxy that has fallen this far behind cannot hold the rate, and waiting longer would only fill memory. */
const MAX_BACKLOG_SECONDS = 2;
const LAST_ANSWERS_TIMEOUT_MS = 2_000;

export interface FixedRateLoad {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  readonly ratePerSecond: number;
  readonly seconds: number;
  /** Of these seconds the first, whose times are not counted: the generator is compiled meanwhile, and late for it. */
  readonly warmUpSeconds: number;
}

export interface FixedRateReport {
  readonly requests: number;
  readonly requestsPerSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
  readonly lagP99Ms: number;
  readonly failures: Readonly<Record<string, number>>;
}

export async function runFixedRate(load: FixedRateLoad, signal: AbortSignal): Promise<FixedRateReport> {
  const loop = new OpenLoop(load);
  try {
    await loop.connect(signal);
    await loop.run(signal);
    return loop.report();
  } finally {
    loop.close();
  }
}

class OpenLoop {
  readonly #load: FixedRateLoad;
  readonly #all: HttpConnection[] = [];
  readonly #idle: HttpConnection[] = [];
  /** When the request that a busy connection carries was due. */
  readonly #dueMs = new Map<HttpConnection, number>();
  readonly #latenciesMs: number[] = [];
  readonly #lagsMs: number[] = [];
  readonly #failures: Record<string, number> = {};
  #startMs = 0;
  #answeredWell = 0;
  #asked = 0;
  #noticed = 0;

  constructor(load: FixedRateLoad) {
    this.#load = load;
  }

  async connect(signal: AbortSignal): Promise<void> {
    const events = {
      answered: (connection: HttpConnection, status: number) => this.#answered(connection, status),
      ended: (connection: HttpConnection, why: string) => this.#ended(connection, why),
    };
    for (let n = 0; n < this.#load.connections; n++)
      this.#all.push(await HttpConnection.open(this.#load.port, this.#load.path, events, signal));
    this.#idle.push(...this.#all);
  }

  async run(signal: AbortSignal): Promise<void> {
    const { seconds, ratePerSecond } = this.#load;
    const total = Math.floor(seconds * ratePerSecond);
    const maxBacklog = MAX_BACKLOG_SECONDS * ratePerSecond;
    this.#startMs = performance.now();
    const deadlineMs = this.#startMs + seconds * 1_000 + LAST_ANSWERS_TIMEOUT_MS;
    while (this.#asked < total || this.#dueMs.size > 0) {
      signal.throwIfAborted();
      const nowMs = performance.now();
      this.#askWhatIsDue(nowMs, total);
      if (nowMs > deadlineMs || this.#noticed - this.#asked > maxBacklog || this.#all.length === 0) break;
      nap(Math.min(NAP_MS, this.#dueAt(this.#noticed) - performance.now()));
      await turn();
    }
    this.#fail("unanswered", this.#dueMs.size + this.#noticed - this.#asked);
  }

  report(): FixedRateReport {
    const elapsedSeconds = (performance.now() - this.#startMs) / 1_000;
    const requests = this.#answeredWell;
    if (this.#latenciesMs.length === 0) throw new Error(`nothing was answered: ${JSON.stringify(this.#failures)}`);
    return {
      requests,
      requestsPerSecond: requests / elapsedSeconds,
      p50Ms: quantile(this.#latenciesMs, 0.5),
      p99Ms: quantile(this.#latenciesMs, 0.99),
      maxMs: quantile(this.#latenciesMs, 1),
      lagP99Ms: quantile(this.#lagsMs, 0.99),
      failures: this.#failures,
    };
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #dueAt(index: number): number {
    return this.#startMs + (index * 1_000) / this.#load.ratePerSecond;
  }

  #askWhatIsDue(nowMs: number, total: number): void {
    for (; this.#noticed < total && this.#dueAt(this.#noticed) <= nowMs; this.#noticed++)
      this.#count(this.#lagsMs, this.#dueAt(this.#noticed), nowMs);
    while (this.#asked < this.#noticed && this.#idle.length > 0) this.#askNext(this.#idle.shift()!);
  }

  #askNext(connection: HttpConnection): void {
    this.#dueMs.set(connection, this.#dueAt(this.#asked++));
    connection.ask();
  }

  #answered(connection: HttpConnection, status: number): void {
    const dueMs = this.#dueMs.get(connection);
    this.#dueMs.delete(connection);
    if (dueMs === undefined) this.#fail("unasked", 1);
    else if (status !== 200) this.#fail("status", 1);
    else {
      this.#answeredWell += 1;
      this.#count(this.#latenciesMs, dueMs, performance.now());
    }
    if (this.#asked < this.#noticed) this.#askNext(connection);
    else this.#idle.push(connection);
  }

  #ended(connection: HttpConnection, why: string): void {
    this.#fail(why, 1);
    this.#dueMs.delete(connection);
    for (const list of [this.#all, this.#idle]) if (list.includes(connection)) list.splice(list.indexOf(connection), 1);
  }

  #count(timesMs: number[], dueMs: number, nowMs: number): void {
    if (dueMs >= this.#startMs + this.#load.warmUpSeconds * 1_000) timesMs.push(nowMs - dueMs);
  }

  #fail(kind: string, count: number): void {
    if (count > 0) this.#failures[kind] = (this.#failures[kind] ?? 0) + count;
  }
}

const NOBODY_WAKES_THIS = new Int32Array(new SharedArrayBuffer(4));

/** Sleeps the whole thread, with the precision of the system instead of the event loop's. */
function nap(timeoutMs: number): void {
  if (timeoutMs > 0) Atomics.wait(NOBODY_WAKES_THIS, 0, 0, timeoutMs);
}
