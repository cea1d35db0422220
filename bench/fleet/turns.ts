import type { Connector } from "../../src/sync/connection.ts";

/**
 * Lets the nodes of one process take turns: what a connection brings is handed on in a turn of the event loop of its own.
 * A push reaches all nodes at once, and each works on it for milliseconds; in one go that would be seconds in which the
 * process answers nobody's keepalive, and connections would break as they do not where each node has a core.
 */
export class Turns {
  /** Bounded by what a control plane sends before it is answered: a few messages for each node. */
  readonly #waiting: (() => void)[] = [];

  wrap(connector: Connector): Connector {
    return {
      connect: (address, events) =>
        connector.connect(address, {
          opened: () => events.opened(),
          received: (message) => this.take(() => events.received(message)),
          closed: (reason) => this.take(() => events.closed(reason)),
        }),
    };
  }

  /** In the order of asking. */
  take(action: () => void): void {
    if (this.#waiting.push(action) === 1) setImmediate(() => this.#next());
  }

  #next(): void {
    this.#waiting[0]!();
    this.#waiting.shift();
    if (this.#waiting.length > 0) setImmediate(() => this.#next());
  }
}
