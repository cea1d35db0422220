import type { Clock } from "../core/clock.ts";

/** Something that has to be finished by a time. */
export interface Deadlined {
  /** On the monotonic clock; Infinity while there is none. */
  readonly deadlineMs: number;
  /** Called once the deadline has passed, at each sweep until it is moved. */
  onDeadline(): void;
}

/**
 * Looks at the deadlines of all connections of a worker in one go, a few times a second. A deadline costs one assignment that way
 * instead of a timer for each request, and is late by a moment.
 */
export class Sweep {
  readonly #clock: Clock;
  readonly #intervalMs: number;
  readonly #members = new Set<Deadlined>();
  readonly #afterwards: () => void;
  /** The time of the last look: asking the clock at every deadline would cost more than all else here. */
  #nowMs: number;
  #cancel: (() => void) | undefined;

  constructor(clock: Clock, intervalMs: number, afterwards: () => void = () => {}) {
    this.#clock = clock;
    this.#intervalMs = intervalMs;
    this.#afterwards = afterwards;
    this.#nowMs = clock.monotonicMs();
  }

  start(): void {
    this.#cancel = this.#clock.after(this.#intervalMs, () => {
      this.#look();
      this.start();
    });
  }

  stop(): void {
    this.#cancel?.();
  }

  /** The time of the last look, so at most an interval ago. */
  get nowMs(): number {
    return this.#nowMs;
  }

  add(member: Deadlined): void {
    this.#members.add(member);
  }

  delete(member: Deadlined): void {
    this.#members.delete(member);
  }

  /** A deadline `delayMs` from now, 0 for none. Never too early, and late by at most two intervals. */
  in(delayMs: number): number {
    return delayMs === 0 ? Number.POSITIVE_INFINITY : this.#nowMs + this.#intervalMs + delayMs;
  }

  #look(): void {
    this.#nowMs = this.#clock.monotonicMs();
    for (const member of this.#members) if (member.deadlineMs <= this.#nowMs) member.onDeadline();
    this.#afterwards();
  }
}
