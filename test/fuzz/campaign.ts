import { SeededRandom } from "../simulation/seeded-random.ts";
import { type Input, MAX_HEAD_BYTES } from "./input.ts";
import { writeMessages } from "./message-grammar.ts";
import { chooseCuts, MAX_TEXT_OCTETS, mutate } from "./mutation.ts";
import type { Oracle } from "./oracle.ts";
import type { Reading } from "./reading.ts";
import { shrink } from "./shrink.ts";

export interface Disagreement {
  readonly fault: string;
  /** As small as it could be made. */
  readonly input: Input;
}

/** Inputs that are kept to be changed further. */
const MAX_KEPT = 4_000;
const MAX_BEHAVIOURS = 100_000;

/**
 * Fuzzing from one seed: the same seed and starting inputs give the same cases. An input is written along the grammar, or is an earlier
 * one with a few changes. Kept for that are the first of each behaviour: of each way in which the parser came to its result.
 */
export class Campaign {
  cases = 0;
  /** Cases of which at least a head was taken: only those are compared. */
  compared = 0;
  readonly #random: SeededRandom;
  readonly #oracle: Oracle;
  readonly #kept: Input[];
  readonly #behaviours = new Set<string>();

  constructor(seed: number, oracle: Oracle, start: readonly Input[]) {
    this.#random = new SeededRandom(seed);
    this.#oracle = oracle;
    this.#kept = [...start];
  }

  get behaviours(): number {
    return this.#behaviours.size;
  }

  /** Runs cases until `count` have run or one disagrees. */
  run(count: number): Disagreement | undefined {
    const end = this.cases + count;
    while (this.cases < end) {
      this.cases++;
      const input = this.#nextInput();
      const { reading, fault } = this.#oracle.judge(input);
      if (fault !== undefined) return shrink(this.#oracle, input, fault);
      if (reading.messages.length > 0) this.compared++;
      this.#learn(input, reading);
    }
    return undefined;
  }

  #nextInput(): Input {
    const random = this.#random;
    const kept = random.chance(0.4) ? this.#anyKept() : undefined;
    const side = kept?.side ?? (random.chance(0.5) ? "request" : "response");
    let text = kept?.text ?? writeMessages(random, side);
    if (kept !== undefined || random.chance(0.3)) text = mutate(random, text, this.#anyKept()?.text ?? "");
    text = text.slice(0, MAX_TEXT_OCTETS);
    const maxHeadBytes = random.chance(0.05) ? 16 + random.below(text.length) : MAX_HEAD_BYTES;
    const answersHead = side === "response" && random.chance(0.1);
    return { side, answersHead, text, cuts: chooseCuts(random, text.length), maxHeadBytes };
  }

  #anyKept(): Input | undefined {
    return this.#kept[this.#random.below(this.#kept.length)];
  }

  #learn(input: Input, reading: Reading): void {
    const before = this.#behaviours.size;
    if (before < MAX_BEHAVIOURS) this.#behaviours.add(behaviourOf(input, reading));
    if (this.#behaviours.size === before) return;
    if (this.#kept.length < MAX_KEPT) this.#kept.push(input);
    else this.#kept[this.#random.below(MAX_KEPT)] = input;
  }
}

function behaviourOf({ side }: Input, { messages, outcome, reason }: Reading): string {
  const shapes = messages.slice(0, 3).map(({ minorVersion, fields, body, untilClose, end, keepAlive }) => {
    const content = untilClose ? "until-close" : body !== "";
    return [minorVersion, fields.length > 32, content, end === undefined ? "begun" : keepAlive].join();
  });
  return [side, outcome, reason, ...shapes].join("|");
}
