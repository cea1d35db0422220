import { setTimeout as pause } from "node:timers/promises";

/**
 * Tries `probe` until it neither throws nor returns undefined or false, and returns what it returned.
 * @throws what the last try threw, or that it never held, after `withinMs`.
 */
export async function eventually<T>(
  what: string,
  probe: () => Promise<T | undefined | false> | T | undefined | false,
  withinMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + withinMs;
  for (let last: unknown; ; ) {
    try {
      const result = await probe();
      if (result !== undefined && result !== false) return result;
      last = undefined;
    } catch (error) {
      last = error;
    }
    if (performance.now() > deadline) throw new Error(`${what}: not within ${withinMs} ms`, { cause: last });
    await pause(20);
  }
}
