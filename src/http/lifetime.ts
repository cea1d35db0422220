/** How long connections may be used; 0 means for ever. */
export interface LifetimeLimits {
  readonly maxAgeMs: number;
  readonly maxRequests: number;
}

/** The part of their age by which connections that began together end apart. */
const SPREAD = 0.1;

/**
 * The life of one connection of a client. A connection that is over is closed with its next answer and never between two, where a
 * request could be on its way already.
 */
export class Lifetime {
  readonly #startMs: number;
  readonly #share: number;
  #requests = 0;

  /** @param place from 0 to 1: where among others that begin at the same time this connection is to end */
  constructor(startMs: number, place: number) {
    this.#startMs = startMs;
    this.#share = 1 - SPREAD * place;
  }

  /** Counts a request; answers whether it is to be the last. */
  isLastRequest({ maxAgeMs, maxRequests }: LifetimeLimits, nowMs: number): boolean {
    this.#requests++;
    if (maxRequests > 0 && this.#requests >= maxRequests) return true;
    return maxAgeMs > 0 && nowMs - this.#startMs >= maxAgeMs * this.#share;
  }
}
