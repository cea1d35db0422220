import type { SeededRandom } from "../simulation/seeded-random.ts";
import { oneOf } from "./choice.ts";
import { FRAGMENTS } from "./vocabulary.ts";

/** Longer ones are cut: what a parser may confuse fits into much less. */
export const MAX_TEXT_OCTETS = 2_000;

type Mutation = (random: SeededRandom, parts: string[], other: string) => void;

/** A text that was changed in a few places; `other` is a text that parts may be taken from. */
export function mutate(random: SeededRandom, text: string, other: string): string {
  const parts = text.split(/(\r\n|[\r\n \t:;,=?/])/).filter((part) => part !== "");
  do oneOf(random, MUTATIONS)(random, parts, other);
  while (random.chance(0.4));
  return parts.join("").slice(0, MAX_TEXT_OCTETS);
}

const MUTATIONS: readonly Mutation[] = [
  function remove(random, parts) {
    parts.splice(random.below(parts.length), 1 + random.below(3));
  },
  function repeat(random, parts) {
    const at = random.below(parts.length);
    const length = 1 + random.below(8);
    parts.splice(random.below(parts.length + 1), 0, ...parts.slice(at, at + length));
  },
  function swap(random, parts) {
    const [one, two] = [random.below(parts.length), random.below(parts.length)];
    [parts[one], parts[two]] = [parts[two] ?? "", parts[one] ?? ""];
  },
  function insert(random, parts) {
    parts.splice(random.below(parts.length + 1), 0, oneOf(random, FRAGMENTS));
  },
  function replace(random, parts) {
    parts.splice(random.below(parts.length), 1, oneOf(random, FRAGMENTS));
  },
  function changeOctet(random, parts) {
    const at = random.below(parts.length);
    const part = parts[at] ?? "";
    const index = random.below(part.length);
    const octet = String.fromCharCode(
      random.chance(0.3) ? part.charCodeAt(index) ^ (1 << random.below(8)) : random.below(256),
    );
    parts[at] = part.slice(0, index) + octet.replace(/[^\0-\xff]/, "a") + part.slice(index + 1);
  },
  function changeCase(random, parts) {
    const at = random.below(parts.length);
    const part = parts[at] ?? "";
    parts[at] = /[a-z]/.test(part) ? part.replace(/[a-z]+/g, (letters) => letters.toUpperCase()) : part.toLowerCase();
  },
  function cutShort(random, parts) {
    parts.length = random.below(parts.length + 1);
  },
  function splice(random, parts, other) {
    const start = random.below(other.length + 1);
    parts.splice(random.below(parts.length + 1), random.below(4), other.slice(start, start + 1 + random.below(60)));
  },
];

/** Where the octets are split: mostly nowhere or in a few places, now and then behind each. */
export function chooseCuts(random: SeededRandom, length: number): readonly number[] {
  if (length < 2 || random.chance(0.3)) return [];
  if (length < 300 && random.chance(0.1)) return Array.from({ length: length - 1 }, (_, index) => index + 1);
  const cuts = new Set<number>();
  do cuts.add(1 + random.below(length - 1));
  while (random.chance(0.6));
  return [...cuts].sort((one, other) => one - other);
}
