import { MAX_WINDOW_BYTES } from "./frame.ts";

/** How much may still be sent to the peer, on a stream or on the whole connection (RFC 9113 §5.2). */
export class SendWindow {
  /** Less than nothing after the peer has made the windows of its streams smaller. */
  bytes: number;

  constructor(bytes: number) {
    this.bytes = bytes;
  }

  /** Answers false when the window would become larger than one may be. */
  widen(bytes: number): boolean {
    this.bytes += bytes;
    return this.bytes <= MAX_WINDOW_BYTES;
  }
}

/** How much the peer may still send; what was taken is granted anew once it is half of the window. */
export class ReceiveWindow {
  #size: number;
  #left: number;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  get size(): number {
    return this.#size;
  }

  reset(size: number): void {
    this.#size = size;
    this.#left = size;
  }

  /** Answers false when the peer has sent more than it may. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** Whether what was taken is worth a frame. */
  get isDue(): boolean {
    return 2 * (this.#size - this.#left) >= this.#size;
  }

  /**
   * What the peer is to be granted now.
   * @param widerBy octets that the window becomes wider with it
   */
  grant(widerBy = 0): number {
    this.#size += widerBy;
    const bytes = this.#size - this.#left;
    this.#left = this.#size;
    return bytes;
  }
}
