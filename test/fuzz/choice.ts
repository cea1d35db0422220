import type { SeededRandom } from "../simulation/seeded-random.ts";

/** One of `items`, each as likely as any other. */
export function oneOf<T>(random: SeededRandom, items: readonly T[]): T {
  return items[random.below(items.length)]!;
}

/** Mostly one of the usual items; of a few messages that are odd everywhere nothing could be learned. */
export function mostly<T>(random: SeededRandom, usual: readonly T[], odd: readonly T[]): T {
  return oneOf(random, random.chance(0.05) ? odd : usual);
}
