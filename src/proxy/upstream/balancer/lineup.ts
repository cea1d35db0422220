import type { Target } from "../target.ts";

/** A target with its share, and what balancers remember about it. */
export class Member {
  readonly target: Target;
  /** Greater than 0. */
  readonly fullWeight: number;
  /** What of it counts now. */
  weight: number;
  /** Set while one request is being placed that must not go here. */
  isPassedOver = false;
  /** See smooth-round-robin.ts. */
  gained = 0;
  /** Its name as a hash, see rendezvous-hash.ts. */
  readonly seed: number;

  constructor(target: Target, weight: number, seed = 0) {
    this.target = target;
    this.fullWeight = weight;
    this.weight = weight;
    this.seed = seed;
  }
}

/** The members that take requests now. */
export class Lineup {
  readonly members: readonly Member[];
  readonly totalWeight: number;
  readonly isUniform: boolean;

  constructor(members: readonly Member[]) {
    this.members = members;
    this.totalWeight = members.reduce((sum, { weight }) => sum + weight, 0);
    this.isUniform = members.every(({ weight }) => weight === members[0]!.weight);
  }
}
