import xxhash from "xxhash-wasm";
import { canonicalJson } from "./json.ts";
import type { Resource } from "./resource.ts";

// The hash is WebAssembly that ships inside the package's JavaScript: awaiting it here touches neither disk nor network,
// cannot fail differently on two machines, and spares every caller a promise for a computation of microseconds.
const { h64, h64Raw } = await xxhash();

/** xxHash64 with seed 0, as 64 unsigned bits. Finds accidents, not attackers: authenticity is the channel's business. */
export function xxhash64(bytes: Uint8Array): bigint {
  return h64Raw(bytes, 0n);
}

/** xxHash64 of the canonical JSON of `[kind, id, spec]`; the array is the frame, so no two resources share their text. */
export function resourceHash({ kind, id, spec }: Resource): bigint {
  return h64(canonicalJson([kind, id, spec]), 0n);
}

/**
 * The sum modulo 2^64 of the hashes of all resources: independent of their order, and k changed resources change it by
 * k subtractions and additions. The state without resources has the hash 0.
 */
export function stateHash(resources: Iterable<Resource>): bigint {
  let sum = 0n;
  for (const resource of resources) sum += resourceHash(resource);
  return BigInt.asUintN(64, sum);
}

/** The state hash after `removed` resource hashes left a state of hash `before` and `added` ones entered it. */
export function adjustStateHash(before: bigint, removed: Iterable<bigint>, added: Iterable<bigint>): bigint {
  let sum = before;
  for (const hash of removed) sum -= hash;
  for (const hash of added) sum += hash;
  return BigInt.asUintN(64, sum);
}

/** 16 hexadecimal digits. */
export function formatHash(hash: bigint): string {
  return hash.toString(16).padStart(16, "0");
}
