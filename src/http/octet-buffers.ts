import { WindowBudget } from "./http2/window-budget.ts";
import { TurnEnd } from "./turn-end.ts";

/** The size of a read, and so of the largest piece that is copied in the ordinary run of things. */
export const BUFFER_BYTES = 65_536;
/** The size of a frame of HTTP/2: in 64 KiB for each, an upload that waits would take four times what it is. */
const SMALL_BYTES = 16_384;
/** Copies that are kept for reuse, of each size. */
const MAX_SPARE = 64;
/** By which the windows of all uploads of HTTP/2 may be wider together than they begin. */
const UPLOAD_BUDGET_BYTES = 67_108_864;

/**
 * The memory that the connections of a worker share: one buffer that every read goes into, and spare ones for pieces of bodies
 * that have to wait until they are written. So moving a body allocates nothing. And the turns of its event loop.
 */
export class OctetBuffers {
  readonly read = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  readonly turnEnd = new TurnEnd();
  readonly uploads = new WindowBudget(UPLOAD_BUDGET_BYTES);
  readonly #spare: Buffer[] = [];
  readonly #small: Buffer[] = [];

  /** One of BUFFER_BYTES to be filled, and given back when it is not needed any more. */
  take(): Buffer {
    return this.#spare.pop() ?? Buffer.allocUnsafeSlow(BUFFER_BYTES);
  }

  /** A copy of octets `start` to `end`, to be given back when it is not needed any more. */
  copy(buffer: Buffer, start: number, end: number): Buffer {
    const copy = this.#withRoom(end - start);
    buffer.copy(copy, 0, start, end);
    return copy;
  }

  giveBack(copy: Buffer): void {
    if (copy.length === BUFFER_BYTES && this.#spare.length < MAX_SPARE) this.#spare.push(copy);
    else if (copy.length === SMALL_BYTES && this.#small.length < MAX_SPARE) this.#small.push(copy);
  }

  #withRoom(bytes: number): Buffer {
    if (bytes <= SMALL_BYTES) return this.#small.pop() ?? Buffer.allocUnsafeSlow(SMALL_BYTES);
    return bytes <= BUFFER_BYTES ? this.take() : Buffer.allocUnsafeSlow(bytes);
  }
}
