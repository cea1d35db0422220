/** Time as a port, so that tests decide what time it is. */
export interface Clock {
  /** Milliseconds since 1970, may jump. For showing to people only. */
  now(): number;
  /** Milliseconds since some start, never goes back. For measuring and for deadlines. */
  monotonicMs(): number;
  /** Calls `action` once after `delayMs`; the returned function cancels it. A pending timer does not keep the process alive. */
  after(delayMs: number, action: () => void): () => void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonicMs: () => performance.now(),
  after(delayMs, action) {
    const timer = setTimeout(action, delayMs);
    timer.unref();
    return () => clearTimeout(timer);
  },
};
