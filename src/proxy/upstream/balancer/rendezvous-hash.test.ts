import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Target } from "../target.ts";
import { chiSquared, lineupOf, REQUEST, turns } from "../testing/lineup-of.ts";
import { type Lineup, Lineup as NewLineup } from "./lineup.ts";
import { RendezvousHash } from "./rendezvous-hash.ts";

const KEYS = 20_000;
const byClient = new RendezvousHash(() => undefined);
const place = (lineup: Lineup, key: number) => byClient.next(lineup, REQUEST, `10.0.${key >> 8}.${key & 255}`);
const placements = (lineup: Lineup): (Target | undefined)[] =>
  Array.from({ length: KEYS }, (_, key) => place(lineup, key));
const without = ({ members }: Lineup, out: number) => new NewLineup(members.filter((_, index) => index !== out));

describe("consistent hashing", () => {
  for (const weights of [
    [1, 1, 1, 1, 1],
    [1, 2, 3, 10],
  ])
    it(`gives targets of weights ${weights} their shares of the keys`, () => {
      const counts = turns(lineupOf(weights), KEYS, place);
      const { is, bound } = chiSquared(counts, weights);
      assert.ok(is < bound, `${counts}`);
    });

  it("moves only the keys of a target that goes, and spreads them by weight; when it comes back they do", () => {
    const weights = [1, 2, 3, 4];
    const all = lineupOf(weights);
    const before = placements(all);
    for (const out of weights.keys()) {
      const rest = without(all, out);
      const after = placements(rest);
      const gone = all.members[out]!.target;
      const gained = new Map<Target | undefined, number>(rest.members.map(({ target }) => [target, 0]));
      for (const [key, target] of before.entries())
        if (target === gone) gained.set(after[key], gained.get(after[key])! + 1);
        else assert.equal(after[key], target, "a key of another target moved");
      const { is, bound } = chiSquared(
        [...gained.values()],
        rest.members.map(({ weight }) => weight),
      );
      assert.ok(is < bound, `${[...gained.values()]}`);
    }
  });

  it("moves keys only to a target whose weight grows, and only from one whose weight shrinks", () => {
    const before = lineupOf([2, 2, 2]);
    const heavier = new NewLineup(before.members.map((member, index) => ({ ...member, weight: index === 1 ? 3 : 2 })));
    const lighter = placements(before);
    const after = placements(heavier);
    const moved = after.filter((target, key) => target !== lighter[key]);
    assert.ok(moved.every((target) => target === before.members[1]!.target));
    assert.ok(Math.abs(moved.length / KEYS - (3 / 7 - 1 / 3)) < 0.01, `${moved.length}`);
  });

  it("gives a key to its next choice while a target is passed over", () => {
    const lineup = lineupOf([1, 1, 1]);
    for (const [out, member] of lineup.members.entries()) {
      const rest = placements(without(lineup, out));
      member.isPassedOver = true;
      assert.deepEqual(placements(lineup), rest);
      member.isPassedOver = false;
    }
  });

  it("lets no target have more than its share of the requests in flight times the load factor", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 6 }),
        fc.double({ min: 1.05, max: 3, noNaN: true }),
        (weights, factor) => {
          const lineup = lineupOf(weights);
          const bounded = new RendezvousHash(() => "one key for all", factor);
          for (let sent = 1; sent <= 100; sent++) {
            const target = bounded.next(lineup, REQUEST, "");
            assert.ok(target, "somebody has room");
            target.load.inFlight++;
            const weight = lineup.members.find((member) => member.target === target)!.weight;
            assert.ok(target.load.inFlight <= Math.ceil((factor * sent * weight) / lineup.totalWeight + 1e-9));
          }
        },
      ),
    );
  });
});
