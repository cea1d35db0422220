import { ClientConnection } from "../../http/client-connection.ts";
import { MAX_RESPONSE_HEAD_BYTES, UpstreamPool } from "./upstream-pool.ts";

/** Connections of HTTP/1.1: each serves one request at a time and then waits for the next. */
export class Http1Pool extends UpstreamPool {
  /** The one used last is taken first, so that those not needed grow old and close. */
  readonly #idle: ClientConnection[] = [];

  override acquire(): ClientConnection | undefined {
    return this.#idle.pop() ?? this.dial();
  }

  override dial(): ClientConnection | undefined {
    const peer = this.newPeer();
    if (peer === undefined) return undefined;
    const { dialTimeoutMs, handshakeTimeoutMs } = this.limits;
    const { sweep, buffers } = this.environment;
    return new ClientConnection({
      peer,
      dialTimeoutMs,
      handshakeTimeoutMs,
      maxHeadBytes: MAX_RESPONSE_HEAD_BYTES,
      sweep,
      buffers,
      onFree: (connection) => this.#onFree(connection),
      onClosed: (connection) => this.#onClosed(connection),
    });
  }

  protected override letGo(): void {
    for (const connection of this.#idle.splice(0)) connection.destroy();
  }

  #onFree(connection: ClientConnection): void {
    if (this.isRetired || connection.tls !== this.tls || this.#idle.length >= this.limits.maxIdle) {
      connection.destroy();
      return;
    }
    connection.rest(this.limits.idleTimeoutMs);
    this.#idle.push(connection);
  }

  #onClosed(connection: ClientConnection): void {
    this.closed();
    const index = this.#idle.indexOf(connection);
    if (index >= 0) this.#idle.splice(index, 1);
  }
}
