import { LIMITS } from "./limits.ts";

/** @throws Error when the number is larger than JavaScript counts exactly; versions never are. */
export function fromUint64(value: bigint): number {
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new Error(`the number ${value} is too large`);
  return Number(value);
}

/** Text of a peer, cut to what is worth keeping. */
export function bounded(text: string): string {
  return text.length <= LIMITS.textLength ? text : `${text.slice(0, LIMITS.textLength)}…`;
}

/** A count that was measured; what is no count becomes 0, since a strange measurement must not end a stream. */
export function toUint64(count: number): bigint {
  return Number.isFinite(count) && count > 0 ? BigInt(Math.trunc(count)) : 0n;
}
