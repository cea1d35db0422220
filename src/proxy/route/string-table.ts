/*
 * Values by string, where what is looked up is a piece of a request. A Map would do the same, but the engine first looks each new string up
 * in its table of all strings there are: a call out of compiled code, and as many misses of the processor's caches again. Of a
 * request to one of 100,000 routes that was a tenth (bench/README.md). Here no string is made for a lookup either.
 *
 * Open addressing with linear probing (Knuth, The Art of Computer Programming 3, 6.4, algorithms L and R), at most half full. Hashes are
 * FNV-1a by code units, kept beside the entries, so that a key is compared only where it is all but certain to be the one. Keys come from
 * the configuration: a request can choose where its lookup begins, but not what lies there.
 */

const MIN_PLACES = 8;
const FREE = 0;

export class StringTable<Value> {
  /** `FREE`, or the hash of what is there. A power of two of them. */
  #hashes = new Int32Array(MIN_PLACES);
  /** Key and value of each place, beside each other. */
  #entries: (string | Value | undefined)[] = new Array(2 * MIN_PLACES).fill(undefined);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What stands under the piece of `text` from `start` to before `end`. */
  get(text: string, start = 0, end = text.length): Value | undefined {
    const hashes = this.#hashes;
    const hash = hashOf(text, start, end);
    const mask = hashes.length - 1;
    for (let place = hash & mask; hashes[place] !== FREE; place = (place + 1) & mask) {
      if (hashes[place] !== hash) continue;
      const key = this.#entries[2 * place] as string;
      if (key.length === end - start && text.startsWith(key, start)) return this.#entries[2 * place + 1] as Value;
    }
    return undefined;
  }

  set(key: string, value: Value): void {
    const hash = hashOf(key, 0, key.length);
    const place = this.#placeOf(key, hash);
    if (this.#hashes[place] === FREE && 2 * ++this.#size > this.#hashes.length) {
      this.#grow();
      this.#put(this.#placeOf(key, hash), hash, key, value);
    } else this.#put(place, hash, key, value);
  }

  delete(key: string): void {
    const hashes = this.#hashes;
    const mask = hashes.length - 1;
    let free = this.#placeOf(key, hashOf(key, 0, key.length));
    if (hashes[free] === FREE) return;
    this.#size--;
    // What lies behind moves up, unless that would put it before where its lookup begins.
    for (let place = (free + 1) & mask; hashes[place] !== FREE; place = (place + 1) & mask) {
      const hash = hashes[place]!;
      if (((place - hash) & mask) < ((place - free) & mask)) continue;
      this.#put(free, hash, this.#entries[2 * place] as string, this.#entries[2 * place + 1] as Value);
      free = place;
    }
    hashes[free] = FREE;
    this.#entries[2 * free] = undefined;
    this.#entries[2 * free + 1] = undefined;
  }

  /** Where the key stands, or would. */
  #placeOf(key: string, hash: number): number {
    const mask = this.#hashes.length - 1;
    let place = hash & mask;
    while (this.#hashes[place] !== FREE && this.#entries[2 * place] !== key) place = (place + 1) & mask;
    return place;
  }

  #put(place: number, hash: number, key: string, value: Value): void {
    this.#hashes[place] = hash;
    this.#entries[2 * place] = key;
    this.#entries[2 * place + 1] = value;
  }

  #grow(): void {
    const [hashes, entries] = [this.#hashes, this.#entries];
    this.#hashes = new Int32Array(2 * hashes.length);
    this.#entries = new Array(4 * hashes.length).fill(undefined);
    for (const [place, hash] of hashes.entries()) {
      if (hash === FREE) continue;
      const key = entries[2 * place] as string;
      this.#put(this.#placeOf(key, hash), hash, key, entries[2 * place + 1] as Value);
    }
  }
}

/** FNV-1a (Fowler, Noll, Vo), its upper half folded onto the lower one, by which places are chosen. Never `FREE`. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) | 0 || 1;
}
