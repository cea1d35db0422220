import type { Socket } from "node:net";
import type { Deadlined, Sweep } from "../../http/sweep.ts";
import { type ProxyHeaderFault, readProxyHeader } from "./proxy-header.ts";

export interface ProxyHeaderEvents {
  /** The socket is paused, and what came behind the header is given back to it. `client` is undefined when none is named. */
  onProxyHeader(socket: Socket, client: string | undefined): void;
  /** The connection is closed. `fault` is undefined when the peer went away without a word, as those do that only try the port. */
  onNoProxyHeader(fault: ProxyHeaderFault | undefined): void;
}

/** Waits for the PROXY header of one connection, for so long and not longer. One of the events follows. */
export class ProxyHeaderReader implements Deadlined {
  readonly deadlineMs: number;
  readonly #socket: Socket;
  readonly #sweep: Sweep;
  readonly #events: ProxyHeaderEvents;
  #octets = Buffer.alloc(0);

  constructor(socket: Socket, timeoutMs: number, sweep: Sweep, events: ProxyHeaderEvents) {
    this.#socket = socket;
    this.#sweep = sweep;
    this.#events = events;
    this.deadlineMs = sweep.in(timeoutMs);
    sweep.add(this);
    socket.on("error", () => {}); // "close" follows, and is what matters.
    socket.on("close", this.#onClose);
    socket.on("data", this.#onData);
  }

  onDeadline(): void {
    this.#refuse("timeout");
  }

  readonly #onData = (piece: Buffer): void => {
    this.#octets = Buffer.concat([this.#octets, piece]);
    const header = readProxyHeader(this.#octets);
    if (header === "incomplete") return;
    if (header === "missing" || header === "malformed") {
      this.#refuse(header);
      return;
    }
    this.#letGo();
    this.#socket.pause();
    const rest = this.#octets.subarray(header.bytes);
    if (rest.length > 0) this.#socket.unshift(rest);
    this.#events.onProxyHeader(this.#socket, header.client);
  };

  readonly #onClose = (): void => {
    this.#letGo();
    this.#events.onNoProxyHeader(this.#octets.length > 0 ? "malformed" : undefined);
  };

  #refuse(fault: ProxyHeaderFault): void {
    this.#letGo();
    this.#socket.destroy();
    this.#events.onNoProxyHeader(fault);
  }

  #letGo(): void {
    this.#sweep.delete(this);
    this.#socket.off("data", this.#onData).off("close", this.#onClose);
  }
}
