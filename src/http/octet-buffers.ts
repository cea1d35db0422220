import { TurnEnd } from "./turn-end.ts";

/** The size of a read, and so of the largest piece that is copied in the ordinary run of things. */
export const BUFFER_BYTES = 65_536;
/** Copies that are kept for reuse. */
const MAX_SPARE = 64;

/**
 * The memory that the connections of a worker share: one buffer that every read goes into, and spare ones for pieces of bodies
 * that have to wait until they are written. So moving a body allocates nothing. And the turns of its event loop.
 */
export class OctetBuffers {
  readonly read = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly turnEnd = new TurnEnd();
  readonly #spare: Buffer[] = [];

  /** One of BUFFER_BYTES to be filled, and given back when it is not needed any more. */
  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** A copy of octets `start` to `end`, to be given back when it is not needed any more. */
  copy(buffer: Buffer, start: number, end: number): Buffer {
    const copy = end - start <= BUFFER_BYTES ? this.take() : Buffer.allocUnsafeSlow(end - start);
    buffer.copy(copy, 0, start, end);
    return copy;
  }

  giveBack(copy: Buffer): void {
    if (this.#spare.length < MAX_SPARE && copy.length === BUFFER_BYTES) this.#spare.push(copy);
  }
}
