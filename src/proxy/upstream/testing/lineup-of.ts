/** What the tests of balancers share. */
import { systemClock } from "../../../core/clock.ts";
import { keyHash } from "../../../core/key-hash.ts";
import { silentLogger } from "../../../core/ports.ts";
import { FieldLines } from "../../../http/field-lines.ts";
import { OctetBuffers } from "../../../http/octet-buffers.ts";
import { Sweep } from "../../../http/sweep.ts";
import { SharedState, WorkerCells } from "../../counters/shared-state.ts";
import type { BalancedRequest } from "../balancer/balancer.ts";
import { Lineup, Member } from "../balancer/lineup.ts";
import { NameResolver } from "../discovery/name-resolver.ts";
import { Http1Pool } from "../http1-pool.ts";
import { Target } from "../target.ts";
import { TargetLoad } from "../target-load.ts";
import type { UpstreamPool } from "../upstream-pool.ts";

const cells = new WorkerCells(new SharedState(1).rows[0]!);
const names = new NameResolver(systemClock, silentLogger);
const environment = { sweep: new Sweep(systemClock, 50), buffers: new OctetBuffers(), cells, names };
const limits = {
  maxIdle: 1,
  maxConnections: 1,
  maxStreams: 1,
  pingIntervalMs: 0,
  idleTimeoutMs: 1,
  dialTimeoutMs: 1,
  handshakeTimeoutMs: 1,
};

export const REQUEST: BalancedRequest = { path: "/", fields: new FieldLines() };

/** A pool to nowhere. */
function poolOf(origin: string): UpstreamPool {
  return new Http1Pool(origin, undefined, limits, environment);
}

/** Targets whose base paths are their numbers, so that a test can tell them apart. */
export function lineupOf(weights: readonly number[], names: readonly string[] = weights.map((_, index) => `${index}`)) {
  return new Lineup(
    weights.map((weight, index) => {
      const load = new TargetLoad();
      const target = new Target({ pool: poolOf("http://a"), basePath: names[index]!, load, isTimed: true });
      return new Member(target, weight, keyHash(names[index]!));
    }),
  );
}

/** How often each member is chosen in `count` turns. */
export function turns(
  { members }: Lineup,
  count: number,
  next: (lineup: Lineup, turn: number) => Target | undefined,
  lineup = new Lineup(members),
): number[] {
  const chosen = new Map<Target | undefined, number>();
  for (let turn = 0; turn < count; turn++) {
    const target = next(lineup, turn);
    chosen.set(target, (chosen.get(target) ?? 0) + 1);
  }
  return members.map(({ target }) => chosen.get(target) ?? 0);
}

/**
 * How far counts are from what shares say, as Pearson's chi-squared, and what that exceeds once in 10,000 experiments when
 * nothing is wrong (Wilson and Hilferty's approximation).
 */
export function chiSquared(counts: readonly number[], weights: readonly number[]): { is: number; bound: number } {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const weight = weights.reduce((sum, each) => sum + each, 0);
  const is = counts.reduce((sum, count, index) => {
    const expected = (total * weights[index]!) / weight;
    return sum + (count - expected) ** 2 / expected;
  }, 0);
  const degrees = counts.length - 1;
  const z = 3.719;
  return { is, bound: degrees * (1 - 2 / (9 * degrees) + z * Math.sqrt(2 / (9 * degrees))) ** 3 };
}

/** Chance that is the same each time (the generator mulberry32). */
export function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let bits = Math.imul(state ^ (state >>> 15), 1 | state);
    bits = (bits + Math.imul(bits ^ (bits >>> 7), 61 | bits)) ^ bits;
    return ((bits ^ (bits >>> 14)) >>> 0) / 0x1_0000_0000;
  };
}
