import { keyHash, mixed, rendezvousScore } from "../../../core/key-hash.ts";
import type { Target } from "../target.ts";
import type { BalancedRequest, Balancer } from "./balancer.ts";

import type { Lineup, Member } from "./lineup.ts";

/** What is hashed; undefined where the request does not have it. */
export type HashKey = (request: BalancedRequest, client: string) => string | undefined;

/**
 * Consistent hashing by the highest random weight (Thaler and Ravishankar, 1998): every target gets a score from a hash of its name
 * and the key, and the highest wins. When a target goes, only its own keys move, each to its second choice; when one comes, it takes
 * its share evenly from the others and nothing else moves. Scores are weighted as `-weight / ln(hash)`, which makes shares exactly
 * proportional to weights.
 *
 * Why not a ring (ketama): its shares are uneven by about a tenth with 150 points a target, and the ring has to be made anew, in a
 * pause of all requests, whenever a target or a weight changes. Why not Maglev: it moves more keys than it must, and its table is
 * made anew too. Here nothing is made, shares are even, and the price is one short step for each target: less than a microsecond
 * up to some hundred of them.
 *
 * With a load factor a target that has more than its share of the requests in flight, times the factor, is left out, and its keys
 * go to their next choice for as long (Mirrokni, Thorup and Zadimoghaddam, 2016).
 */
export class RendezvousHash implements Balancer {
  readonly #key: HashKey;
  readonly #loadFactor: number;

  /** @param loadFactor above 1; Infinity means that load does not matter */
  constructor(key: HashKey, loadFactor = Number.POSITIVE_INFINITY) {
    this.#key = key;
    this.#loadFactor = loadFactor;
  }

  next(lineup: Lineup, request: BalancedRequest, client: string): Target | undefined {
    const { members, isUniform } = lineup;
    const key = keyHash(this.#key(request, client) ?? client);
    const loadPerWeight = this.#loadPerWeight(lineup);
    let best: Member | undefined;
    let bestScore = Number.NEGATIVE_INFINITY;
    for (let index = 0; index < members.length; index++) {
      const member = members[index]!;
      if (member.isPassedOver || member.target.load.inFlight >= Math.ceil(loadPerWeight * member.weight)) continue;
      const score = isUniform ? mixed(key ^ member.seed) : rendezvousScore(key, member.seed, member.weight);
      if (score <= bestScore) continue;
      best = member;
      bestScore = score;
    }
    return best?.target;
  }

  /** How many requests in flight a target may have for each unit of its weight once this one is placed. */
  #loadPerWeight({ members, totalWeight }: Lineup): number {
    if (this.#loadFactor === Number.POSITIVE_INFINITY) return this.#loadFactor;
    let inFlight = 1;
    for (let index = 0; index < members.length; index++) inFlight += members[index]!.target.load.inFlight;
    return (this.#loadFactor * inFlight) / totalWeight;
  }
}
