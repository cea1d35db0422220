import type { Connection, ConnectionEvents, Connector } from "./connection.ts";

/**
 * Several transports of which the node takes the one that works: the first until a connection to the address fails before it
 * opened, then the next, and so on. What worked is taken again.
 */
export class TransportChoice implements Connector {
  readonly #connectors: readonly Connector[];
  /** By address. There are few, since they are configured. */
  readonly #chosen = new Map<string, number>();

  constructor(connectors: readonly Connector[]) {
    this.#connectors = connectors;
  }

  connect(address: string, events: ConnectionEvents): Connection {
    const index = this.#chosen.get(address) ?? 0;
    let hasOpened = false;
    return this.#connectors[index]!.connect(address, {
      ...events,
      opened: () => {
        hasOpened = true;
        events.opened();
      },
      closed: (reason, comeBackAfterMs) => {
        if (!hasOpened) this.#chosen.set(address, (index + 1) % this.#connectors.length);
        events.closed(reason, comeBackAfterMs);
      },
    });
  }
}
