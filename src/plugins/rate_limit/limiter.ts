import type { NumbersEntry } from "../../sdk/index.ts";

/*
 * Two ways to tell whether one more request is within a limit. Each works on the three numbers that all workers share for a
 * key (see SharedNumbers), which are zero for a key that was not seen lately. They mean something until it is as if nobody had come,
 * and are worth as much as of the limit is used up.
 */

/** What a limit says about one request. */
export interface Ruling {
  readonly isWithin: boolean;
  /** Requests that would be within the limit now, after this one. */
  readonly remaining: number;
  /** Until one more request is within the limit, or, when some are, until all are again. */
  readonly resetMs: number;
  /** When this was said. */
  readonly nowMs: number;
}

export interface Limit {
  readonly rate: number;
  readonly periodMs: number;
  readonly burst: number;
}

/**
 * Token bucket: `burst` requests at once, and `rate` in each period on average. Kept are the requests that count against the
 * bucket, which become fewer with time, and when that was.
 */
export function tokenBucket({ rate, periodMs, burst }: Limit, entry: NumbersEntry, nowMs: number): Ruling {
  const { numbers } = entry;
  const perMs = rate / periodMs;
  const used = Math.max(0, numbers[0]! - (nowMs - numbers[1]!) * perMs);
  const isWithin = used + 1 <= burst + 1e-9;
  const after = isWithin ? used + 1 : used;
  numbers[0] = after;
  numbers[1] = nowMs;
  const remaining = Math.max(0, Math.floor(burst - after));
  entry.keepMs = after / perMs;
  entry.worth = after / burst;
  const resetMs = remaining > 0 ? entry.keepMs : (after + 1 - burst) / perMs;
  return { isWithin, remaining, resetMs, nowMs };
}

/**
 * Sliding window: `rate` requests in any period, told from the counts of this period and of the one before, of which the share
 * counts that the window still covers. Kept are the number of the period and the two counts.
 */
export function slidingWindow({ rate, periodMs }: Limit, entry: NumbersEntry, nowMs: number): Ruling {
  const { numbers } = entry;
  const period = Math.floor(nowMs / periodMs);
  if (numbers[0] !== period) {
    numbers[2] = numbers[0] === period - 1 ? numbers[1]! : 0;
    numbers[1] = 0;
    numbers[0] = period;
  }
  const leftMs = (period + 1) * periodMs - nowMs;
  const before = numbers[2]!;
  const used = numbers[1]! + before * (leftMs / periodMs);
  const isWithin = used + 1 <= rate + 1e-9;
  if (isWithin) numbers[1]! += 1;
  const after = isWithin ? used + 1 : used;
  const remaining = Math.max(0, Math.floor(rate - after));
  const fadesMs = before === 0 ? leftMs : Math.min(leftMs, ((after + 1 - rate) * periodMs) / before);
  entry.keepMs = leftMs + periodMs;
  entry.worth = after / rate;
  return { isWithin, remaining, resetMs: remaining > 0 ? leftMs : fadesMs, nowMs };
}
