import { ClientSession } from "../../http/http2/client-session.ts";
import type { ClientStream } from "../../http/http2/client-stream.ts";
import { MAX_RESPONSE_HEAD_BYTES, UpstreamPool } from "./upstream-pool.ts";

/**
 * Connections of HTTP/2: each serves many requests at a time. A request goes to the one with the fewest, and a further one is
 * opened when each has as many as it may.
 */
export class Http2Pool extends UpstreamPool {
  readonly #sessions: ClientSession[] = [];

  override acquire(): ClientStream | undefined {
    return this.#leastBusy(() => true)?.open() ?? this.#connect()?.open();
  }

  /** One connection that nothing was answered on yet is enough for all that asked for a new one. */
  override dial(): ClientStream | undefined {
    return this.#leastBusy(({ hasServed }) => !hasServed)?.open() ?? this.#connect()?.open();
  }

  protected override letGo(): void {
    for (const session of this.#sessions.splice(0)) session.leave();
  }

  #leastBusy(isMeant: (session: ClientSession) => boolean): ClientSession | undefined {
    let best: ClientSession | undefined;
    for (const session of this.#sessions)
      if (session.hasRoom && isMeant(session) && (best === undefined || session.streams < best.streams)) best = session;
    return best;
  }

  #connect(): ClientSession | undefined {
    const peer = this.newPeer();
    if (peer === undefined) return undefined;
    const { dialTimeoutMs, handshakeTimeoutMs, idleTimeoutMs, maxStreams, pingIntervalMs } = this.limits;
    const { sweep, buffers } = this.environment;
    const session = new ClientSession({
      peer,
      dialTimeoutMs,
      handshakeTimeoutMs,
      idleTimeoutMs,
      pingIntervalMs,
      maxStreams,
      maxHeadBytes: MAX_RESPONSE_HEAD_BYTES,
      sweep,
      buffers,
      onClosed: () => this.#onClosed(session),
    });
    // A pool that was retired still serves requests that were on their way to it.
    if (!this.isRetired) this.#sessions.push(session);
    return session;
  }

  #onClosed(session: ClientSession): void {
    this.closed();
    const index = this.#sessions.indexOf(session);
    if (index >= 0) this.#sessions.splice(index, 1);
  }
}
