import { setTimeout as delay } from "node:timers/promises";

export interface WaitOptions {
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/**
 * Asks again every 20 ms until the condition holds; a condition that throws does not hold yet.
 *
 * @throws Error naming `what` and the last thing thrown when `timeoutMs` is over; the signal's reason when it aborts.
 */
export async function waitUntil(
  what: string,
  condition: () => boolean | Promise<boolean>,
  { timeoutMs, signal }: WaitOptions,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  let cause: unknown;
  do {
    signal.throwIfAborted();
    try {
      if (await condition()) return;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    await delay(20, undefined, { signal });
  } while (performance.now() < deadlineMs);
  throw new Error(`waited ${timeoutMs / 1_000} s in vain: ${what}`, { cause });
}
