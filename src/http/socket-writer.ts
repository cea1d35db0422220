import type { Socket } from "node:net";
import type { OctetBuffers } from "./octet-buffers.ts";
import type { Flushable } from "./turn-end.ts";

/** Data up to this size is gathered into one string, which the runtime writes without a request object or a second copy. */
const GATHER_MAX_BYTES = 12_288;

/** Octets that a socket may hold back before its writer is full: twice a read, so that one read alone never fills it. */
export const WRITE_BUFFER_BYTES = 131_072;

/**
 * Gathers what is to be written to a socket, so that a head and a small body leave in one system call. Text is latin1: one
 * character, one octet.
 */
export class SocketWriter implements Flushable {
  readonly #socket: Socket;
  readonly #buffers: OctetBuffers;
  #gathered = "";
  #isFull = false;
  #isWaiting = false;

  constructor(socket: Socket, buffers: OctetBuffers) {
    this.#socket = socket;
    this.#buffers = buffers;
  }

  /**
   * Whether the peer reads more slowly than we write, as far as it was written to; `onWritable` of the owner tells when it has
   * caught up. What waits for the end of the turn is found out about with what is written after it.
   */
  get isFull(): boolean {
    return this.#isFull;
  }

  text(text: string): void {
    this.#gathered += text;
  }

  /** Octets that are only lent for the call. */
  bytes(buffer: Buffer, start: number, end: number): void {
    if (this.#gathered.length + end - start <= GATHER_MAX_BYTES) {
      this.#gathered += buffer.toString("latin1", start, end);
      return;
    }
    this.flushNow();
    if (this.#socket.destroyed) return;
    const copy = this.#buffers.copy(buffer, start, end);
    const hasRoom = this.#socket.write(copy.subarray(0, end - start), (error) => {
      if (!error) this.#buffers.giveBack(copy);
    });
    if (!hasRoom) this.#isFull = true;
  }

  /** What was gathered leaves at the end of this turn of the event loop, or at once when it is much. */
  flush(): void {
    if (this.#gathered.length > GATHER_MAX_BYTES) this.flushNow();
    else if (this.#gathered !== "" && !this.#isWaiting) {
      this.#isWaiting = true;
      this.#buffers.turnEnd.add(this);
    }
  }

  /** To be called before the socket is ended by other means. */
  flushNow(): void {
    this.#isWaiting = false;
    const text = this.#gathered;
    if (text === "") return;
    this.#gathered = "";
    if (!this.#socket.destroyed && !this.#socket.write(text, "latin1")) this.#isFull = true;
  }

  /** To be called on the socket's `drain`. */
  onDrain(): void {
    this.#isFull = false;
  }
}
