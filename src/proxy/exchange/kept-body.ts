import { NO_TRAILERS, type Trailers } from "../../http/trailers.ts";
import type { Attempt } from "./attempt.ts";

/** What has come of a request's body so far, for as long as it may have to be sent again. */
export class KeptBody {
  /** Whether all that came is here. */
  isWhole = true;
  readonly #maxBytes: number;
  readonly #isEmpty: boolean;
  #pieces: Buffer[] = [];
  #bytes = 0;
  /** Whether nothing more of it comes. */
  isComplete: boolean;
  #trailers = NO_TRAILERS;

  /** @param isComplete whether there is none */
  constructor(maxBytes: number, isComplete: boolean) {
    this.#maxBytes = maxBytes;
    this.#isEmpty = isComplete;
    this.isComplete = isComplete;
  }

  /** @param isUnsent whether nobody else has got the piece: then it is kept in any case */
  add(buffer: Buffer, start: number, end: number, isUnsent: boolean): void {
    if (!this.isWhole) return;
    this.#bytes += end - start;
    if (this.#bytes > this.#maxBytes && !isUnsent) this.forget();
    else this.#pieces.push(Buffer.from(buffer.subarray(start, end)));
  }

  complete(trailers: Trailers): void {
    this.isComplete = true;
    this.#trailers = [...trailers];
  }

  /** It is not needed any more, or too long to be kept. */
  forget(): void {
    this.isWhole = false;
    this.#pieces = [];
  }

  /** Sends all that came to one more target. */
  replay(attempt: Attempt): void {
    for (const piece of this.#pieces) attempt.body(piece, 0, piece.length);
    if (this.isComplete && !this.#isEmpty) attempt.complete(this.#trailers);
    attempt.flush();
    if (this.#bytes > this.#maxBytes) this.forget();
  }
}
