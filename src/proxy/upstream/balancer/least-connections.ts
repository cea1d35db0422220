import type { Target } from "../target.ts";
import type { Balancer } from "./balancer.ts";
import type { Lineup, Member } from "./lineup.ts";

/**
 * The target with the fewest requests in flight for its weight, this one counted. The search begins at a random place, so that of
 * targets that are equal none is preferred, and workers that see the same do not all run to the same one.
 */
export class LeastConnections implements Balancer {
  readonly #random: () => number;

  /** @param random from 0 to below 1 */
  constructor(random: () => number) {
    this.#random = random;
  }

  next(lineup: Lineup): Target | undefined {
    const { members } = lineup;
    const start = beginning(lineup, this.#random());
    let best: Member | undefined;
    let bestLoad = Number.POSITIVE_INFINITY;
    for (let count = 0, index = start; count < members.length; count++, index++) {
      if (index === members.length) index = 0;
      const member = members[index]!;
      const load = (member.target.load.inFlight + 1) / member.weight;
      if (member.isPassedOver || load >= bestLoad) continue;
      best = member;
      bestLoad = load;
    }
    return best?.target;
  }
}

/** Where to begin: each member as often as its weight says. */
function beginning({ members, totalWeight, isUniform }: Lineup, random: number): number {
  if (isUniform) return Math.floor(random * members.length);
  let rest = random * totalWeight;
  for (let index = 0; index < members.length; index++) {
    rest -= members[index]!.weight;
    if (rest < 0) return index;
  }
  return 0;
}
