import { performance } from "node:perf_hooks";
import { HttpConnection } from "../http-connection.ts";
import type { FailureLedger } from "./failure-ledger.ts";

const TICK_MS = 5;
const REOPEN_MS = 20;
/** What may be due and not yet asked; more is skipped. */
const MAX_BACKLOG_SECONDS = 0.5;

export interface SteadyLoadOptions {
  readonly port: number;
  readonly path: string;
  readonly connections: number;
  /** As many as are answered, when it is Infinity. */
  readonly ratePerSecond: number;
  readonly ledger: FailureLedger;
  readonly signal: AbortSignal;
}

/**
 * Asks for one path over some connections at a rate. A connection that ends is replaced, and what was in flight on it is a failure;
 * what is due while all are busy is asked when one is free. What would heap up is skipped and counted, so a node that falls behind shows.
 */
export class SteadyLoad implements Disposable {
  answered = 0;
  skipped = 0;
  readonly #options: SteadyLoadOptions;
  readonly #idle: HttpConnection[] = [];
  readonly #busy = new Set<HttpConnection>();
  #timer: NodeJS.Timeout | undefined;
  #lastMs = 0;
  #due = 0;
  #isOver = false;

  constructor(options: SteadyLoadOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await Promise.all(Array.from({ length: this.#options.connections }, () => this.#open()));
    this.#lastMs = performance.now();
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  [Symbol.dispose](): void {
    this.#isOver = true;
    clearInterval(this.#timer);
    for (const connection of [...this.#idle, ...this.#busy]) connection.close();
  }

  async #open(): Promise<void> {
    const { port, path, signal } = this.#options;
    const events = {
      answered: (connection: HttpConnection, status: number) => this.#onAnswer(connection, status),
      ended: (connection: HttpConnection) => this.#onEnd(connection),
    };
    try {
      this.#idle.push(await HttpConnection.open(port, path, events, signal));
    } catch {
      this.#fail("closed");
      this.#reopen();
    }
  }

  #tick(): void {
    const nowMs = performance.now();
    const { ratePerSecond } = this.#options;
    if (ratePerSecond === Number.POSITIVE_INFINITY) {
      while (this.#idle.length > 0) this.#ask();
      return;
    }
    this.#due += ((nowMs - this.#lastMs) * ratePerSecond) / 1_000;
    this.#lastMs = nowMs;
    while (this.#due >= 1 && this.#idle.length > 0) this.#ask();
    const tooMany = Math.floor(Math.max(0, this.#due - ratePerSecond * MAX_BACKLOG_SECONDS));
    this.skipped += tooMany;
    this.#due -= tooMany;
  }

  #ask(): void {
    const connection = this.#idle.pop()!;
    this.#busy.add(connection);
    this.#due--;
    connection.ask();
  }

  #onAnswer(connection: HttpConnection, status: number): void {
    if (!this.#busy.delete(connection)) return;
    this.#idle.push(connection);
    if (status === 200) this.answered++;
    else this.#fail(`status ${status}`);
    const hasMore = this.#due >= 1 || this.#options.ratePerSecond === Number.POSITIVE_INFINITY;
    if (hasMore && !this.#isOver) this.#ask();
  }

  #onEnd(connection: HttpConnection): void {
    const position = this.#idle.indexOf(connection);
    if (position >= 0) this.#idle.splice(position, 1);
    if (this.#busy.delete(connection)) this.#fail("closed");
    this.#reopen();
  }

  #fail(what: string): void {
    const { ledger, path } = this.#options;
    if (!this.#isOver) ledger.add({ atMs: Math.round(performance.now()), path, what });
  }

  #reopen(): void {
    if (this.#isOver) return;
    setTimeout(() => {
      if (!this.#isOver) void this.#open();
    }, REOPEN_MS);
  }
}
