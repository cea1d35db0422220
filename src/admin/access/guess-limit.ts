import { isIPv6 } from "node:net";

const MAX_ADDRESSES = 10_000;
/** Failures that cost an address nothing but the answer. */
const FREE_FAILURES = 10;
/** More are not counted, so that an address waits a minute at most. */
const MAX_FAILURES = 22;
/** How long until one of them is forgiven. */
const FORGIVEN_AFTER_MS = 5_000;

/**
 * Counts failed attempts by address, each in a bucket that empties with time. A network of IPv6 (/64), all of which one
 * machine may have, is one address. The table holds the addresses that failed last; an attacker who fills it with others
 * is given back what a fresh address has, no more.
 */
export class GuessLimit {
  readonly #failures = new Map<string, { count: number; atMs: number }>();
  readonly #now: () => number;

  /** @param now milliseconds that only grow */
  constructor(now: () => number) {
    this.#now = now;
  }

  /** How long this address has to wait until it may try again; 0 when it may. */
  waitMs(address: string): number {
    const known = this.#failures.get(networkOf(address));
    if (known === undefined) return 0;
    const excess = this.#left(known) - FREE_FAILURES + 1;
    return Math.max(0, Math.ceil(excess * FORGIVEN_AFTER_MS));
  }

  failed(address: string): void {
    const network = networkOf(address);
    const known = this.#failures.get(network);
    const count = Math.min(MAX_FAILURES, (known === undefined ? 0 : this.#left(known)) + 1);
    this.#failures.delete(network);
    this.#failures.set(network, { count, atMs: this.#now() });
    if (this.#failures.size > MAX_ADDRESSES) this.#failures.delete(this.#failures.keys().next().value!);
  }

  /** Failures that are not forgiven yet. */
  #left({ count, atMs }: { count: number; atMs: number }): number {
    return Math.max(0, count - (this.#now() - atMs) / FORGIVEN_AFTER_MS);
  }
}

function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, "");
  if (!isIPv6(plain)) return plain;
  const [head = "", tail] = plain.split("::");
  const groups = head.split(":").filter((group) => group !== "");
  const missing = tail === undefined ? 0 : 8 - groups.length - tail.split(":").filter((group) => group !== "").length;
  return [...groups, ...Array<string>(missing).fill("0")].slice(0, 4).join(":");
}
