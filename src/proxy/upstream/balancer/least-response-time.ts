import type { Target } from "../target.ts";
import type { Balancer } from "./balancer.ts";
import type { Lineup, Member } from "./lineup.ts";

/** What a target counts as that has requests in flight but has never answered one. */
const UNKNOWN_MS = 10_000;

/**
 * Two targets are drawn by weight, and the one that would answer sooner is chosen: its peak EWMA times the requests it has in
 * flight, this one counted. Two choices are enough to avoid a slow target almost always, and unlike the best of all they
 * do not send every worker to the same one (Mitzenmacher, 2001). Between two that are equal, weight decides.
 */
export class LeastResponseTime implements Balancer {
  readonly #random: () => number;
  readonly #nowMs: () => number;

  /** @param random from 0 to below 1 */
  constructor(random: () => number, nowMs: () => number) {
    this.#random = random;
    this.#nowMs = nowMs;
  }

  next(lineup: Lineup): Target | undefined {
    const first = draw(lineup, this.#random(), undefined);
    if (first === undefined) return undefined;
    const second = draw(lineup, this.#random(), first);
    if (second === undefined) return first.target;
    const nowMs = this.#nowMs();
    return costOf(second, nowMs) < costOf(first, nowMs) ? second.target : first.target;
  }
}

function costOf({ target }: Member, nowMs: number): number {
  const latencyMs = target.load.latency.at(nowMs);
  if (latencyMs === 0) return target.load.inFlight * UNKNOWN_MS;
  return latencyMs * (target.load.inFlight + 1);
}

/** One of the members that are not passed over, each as often as its weight says, but for `except`. */
function draw({ members }: Lineup, random: number, except: Member | undefined): Member | undefined {
  let total = 0;
  for (let index = 0; index < members.length; index++) {
    const member = members[index]!;
    if (!member.isPassedOver && member !== except) total += member.weight;
  }
  let rest = random * total;
  let last: Member | undefined;
  for (let index = 0; index < members.length; index++) {
    const member = members[index]!;
    if (member.isPassedOver || member === except) continue;
    last = member;
    rest -= member.weight;
    if (rest < 0) break;
  }
  return last;
}
