import type { Target } from "../target.ts";
import type { Balancer } from "./balancer.ts";
import type { Lineup, Member } from "./lineup.ts";

/**
 * Smooth weighted round robin: at each turn every target gains its weight, the one that has gained most is chosen and pays
 * back the sum of all weights. In any sum-of-weights turns in a row each target is chosen as often as its weight says, and
 * its turns are spread evenly among the others'. Who is passed over neither gains nor pays.
 */
export class SmoothRoundRobin implements Balancer {
  next({ members }: Lineup): Target | undefined {
    let best: Member | undefined;
    let total = 0;
    for (let index = 0; index < members.length; index++) {
      const member = members[index]!;
      if (member.isPassedOver) continue;
      total += member.weight;
      member.gained += member.weight;
      if (best === undefined || member.gained > best.gained) best = member;
    }
    if (best === undefined) return undefined;
    best.gained -= total;
    return best.target;
  }
}
