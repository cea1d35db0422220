import { setTimeout as delay } from "node:timers/promises";
import { HttpConnection } from "./http-connection.ts";

/** Connections that are opened at a time; more would only wait in the kernel's queue. */
const AT_A_TIME = 100;
const SETTLE_MS = 1_000;

/** Connections that have asked once and then say nothing. */
export class IdleConnections implements Disposable {
  readonly #connections = new Set<HttpConnection>();

  /** All of them have been answered when it answers, and a second has passed for the proxy to settle. */
  async open(port: number, count: number, signal: AbortSignal): Promise<void> {
    for (let opened = 0; opened < count; opened += AT_A_TIME) {
      const size = Math.min(AT_A_TIME, count - opened);
      await Promise.all(Array.from({ length: size }, () => this.#openOne(port, signal)));
    }
    await delay(SETTLE_MS, undefined, { signal });
  }

  /** That are still there. */
  get size(): number {
    return this.#connections.size;
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection.close();
  }

  async #openOne(port: number, signal: AbortSignal): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const answered = (_: HttpConnection, status: number) =>
      status === 200 ? resolve() : reject(new Error(`the answer was ${status}`));
    const ended = (connection: HttpConnection, why: string) => {
      this.#connections.delete(connection);
      reject(new Error(`a connection was ${why}`));
    };
    const connection = await HttpConnection.open(port, "/", { answered, ended }, signal);
    this.#connections.add(connection);
    connection.ask();
    await promise;
  }
}
