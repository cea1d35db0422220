/** FNV-1a over the characters, then `mixed`, since FNV alone leaves short keys that differ in their last character close together. */
export function keyHash(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  return mixed(hash);
}

/** The finaliser of MurmurHash3: every bit of the input reaches every bit of the result, which is from 0 to 2^32 - 1. */
export function mixed(hash: number): number {
  let bits = hash;
  bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
  return (bits ^ (bits >>> 16)) >>> 0;
}

/**
 * What one of several things scores for a key, both as hashes: the one that scores highest is chosen, each for a share of the keys
 * that is its weight's (rendezvous hashing; see src/proxy/upstream/balancer/rendezvous-hash.ts).
 */
export function rendezvousScore(key: number, thing: number, weight: number): number {
  return -weight / Math.log((mixed(key ^ thing) + 0.5) / 0x1_0000_0000);
}
