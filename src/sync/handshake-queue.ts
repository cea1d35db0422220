import type { Socket } from "node:net";

export interface HandshakeLimits {
  /** Handshakes that begin in one turn of the event loop. */
  readonly perTurn: number;
  /** Handshakes that have begun and not ended. */
  readonly inFlight: number;
  /** Connections that wait for theirs to begin; they are not read meanwhile. */
  readonly waiting: number;
}

const LIMITS: HandshakeLimits = { perTurn: 4, inFlight: 1_024, waiting: 8_192 };

/**
 * Admission to TLS handshakes. Each costs about a millisecond in which the event loop does nothing else; when a whole fleet
 * comes at one moment they begin a few in each turn of the loop, in the order of arrival, and whoever else asks is answered
 * in between.
 */
export class HandshakeQueue {
  readonly #limits: HandshakeLimits;
  readonly #begin: (socket: Socket) => void;
  readonly #waiting = new Set<Socket>();
  /** By the peer's address and port. */
  readonly #inFlight = new Set<string>();
  #isTurnDue = false;

  /** @param begin is called when it is the turn of a connection, never before `take` returns */
  constructor(begin: (socket: Socket) => void, limits: HandshakeLimits = LIMITS) {
    this.#begin = begin;
    this.#limits = limits;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  /** @returns false when too many wait already */
  take(socket: Socket): boolean {
    if (this.#waiting.size >= this.#limits.waiting) return false;
    const peer = peerOf(socket);
    this.#waiting.add(socket);
    socket.once("close", () => {
      this.#waiting.delete(socket);
      this.#end(peer);
    });
    this.#schedule();
    return true;
  }

  /** The handshake of a connection is over. */
  over(socket: Pick<Socket, "remoteAddress" | "remotePort">): void {
    this.#end(peerOf(socket));
  }

  #end(peer: string): void {
    if (this.#inFlight.delete(peer)) this.#schedule();
  }

  #schedule(): void {
    if (this.#isTurnDue || this.#waiting.size === 0 || this.#inFlight.size >= this.#limits.inFlight) return;
    this.#isTurnDue = true;
    setImmediate(() => {
      this.#isTurnDue = false;
      this.#takeTurn();
      this.#schedule();
    });
  }

  #takeTurn(): void {
    const free = Math.min(this.#limits.perTurn, this.#limits.inFlight - this.#inFlight.size);
    for (const socket of [...this.#waiting.values().take(Math.max(0, free))]) {
      this.#waiting.delete(socket);
      this.#inFlight.add(peerOf(socket));
      this.#begin(socket);
    }
  }
}

function peerOf({ remoteAddress, remotePort }: Pick<Socket, "remoteAddress" | "remotePort">): string {
  return `${remoteAddress} ${remotePort}`;
}
