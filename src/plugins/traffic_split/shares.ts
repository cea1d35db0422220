import { keyHash, rendezvousScore } from "../../sdk/index.ts";

/** Something that has a share. */
interface Share {
  readonly name: string;
  readonly weight: number;
}

/**
 * Gives out things by weight. In turn it is exact: of as many turns as the weights add up to, each thing gets as many as its weight,
 * spread evenly (smooth weighted round robin). By key it is the same for the same key everywhere, and a change of weights moves no
 * more keys than it must (rendezvous hashing).
 */
export class Shares<Thing extends Share> {
  readonly #things: readonly { readonly thing: Thing; readonly seed: number; gained: number }[];
  readonly #total: number;

  /** @param things of which one has a weight above 0 */
  constructor(things: readonly Thing[]) {
    const able = things.filter(({ weight }) => weight > 0);
    this.#things = able.map((thing) => ({ thing, seed: keyHash(thing.name), gained: 0 }));
    this.#total = able.reduce((sum, { weight }) => sum + weight, 0);
  }

  next(): Thing {
    let best = this.#things[0]!;
    for (const one of this.#things) {
      one.gained += one.thing.weight;
      if (one.gained > best.gained) best = one;
    }
    best.gained -= this.#total;
    return best.thing;
  }

  byKey(key: string): Thing {
    const hash = keyHash(key);
    const scores = this.#things.map(({ thing, seed }) => rendezvousScore(hash, seed, thing.weight));
    return this.#things[scores.indexOf(Math.max(...scores))]!.thing;
  }
}
