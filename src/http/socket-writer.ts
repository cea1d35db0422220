import type { Socket } from "node:net";
import type { OctetBuffers } from "./octet-buffers.ts";

/** Data up to this size is gathered into one string, which the runtime writes without a request object or a second copy. */
const GATHER_MAX_BYTES = 12_288;

/** Octets that a socket may hold back before its writer is full: twice a read, so that one read alone never fills it. */
export const WRITE_BUFFER_BYTES = 131_072;

/**
 * Gathers what is to be written to a socket until `flush`, so that a head and a small body leave in one system call. Text is
 * latin1: one character, one octet.
 */
export class SocketWriter {
  readonly #socket: Socket;
  readonly #buffers: OctetBuffers;
  #gathered = "";
  #isFull = false;

  constructor(socket: Socket, buffers: OctetBuffers) {
    this.#socket = socket;
    this.#buffers = buffers;
  }

  /** Whether the peer reads more slowly than we write; `onWritable` of the owner tells when it has caught up. */
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
    this.flush();
    if (this.#socket.destroyed) return;
    const copy = this.#buffers.copy(buffer, start, end);
    const hasRoom = this.#socket.write(copy.subarray(0, end - start), (error) => {
      if (!error) this.#buffers.giveBack(copy);
    });
    if (!hasRoom) this.#isFull = true;
  }

  flush(): void {
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
