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
  readonly #size: number;
  #left: number;

  constructor(size: number) {
    this.#size = size;
    this.#left = size;
  }

  reset(): void {
    this.#left = this.#size;
  }

  /** Answers false when the peer has sent more than it may. */
  take(bytes: number): boolean {
    this.#left -= bytes;
    return this.#left >= 0;
  }

  /** What the peer is to be granted now; 0 while it is not worth a frame. */
  grant(): number {
    const bytes = this.#size - this.#left;
    if (2 * bytes < this.#size) return 0;
    this.#left = this.#size;
    return bytes;
  }
}
