/*
 * Values by string, where what is looked up is a piece of a request. A Map would do the same, but the engine first looks each new string up
 * in its table of all strings there are: a call out of compiled code, and as many misses of the processor's caches again. Of a
 * request to one of 100,000 routes that was a tenth (bench/README.md). Here no string is made for a lookup either.
 *
 * Open addressing with linear probing (Knuth, The Art of Computer Programming 3, 6.4, algorithms L and R), at most half full. Hashes are
 * FNV-1a by code units, kept beside the entries, in one line of the cache with them, so that a key is compared only where it is all but
 * certain to be the one. Keys come from the configuration: a request can choose where its lookup begins, but not what lies there.
 */

const MIN_PLACES = 8;
const FREE = 0;
/** A place is the hash of what is there or `FREE`, the key, and the value. */
const STRIDE = 3;
const KEY = 1;
const VALUE = 2;

type Cell<Value> = number | string | Value | undefined;

export class StringTable<Value> {
  /** A power of two of places. */
  #cells: Cell<Value>[] = cellsOf(MIN_PLACES);
  #mask = MIN_PLACES - 1;
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** What stands under the piece of `text` from `start` to before `end`. */
  get(text: string, start = 0, end = text.length): Value | undefined {
    const cells = this.#cells;
    const mask = this.#mask;
    const hash = hashOf(text, start, end);
    for (let place = hash & mask; ; place = (place + 1) & mask) {
      const at = STRIDE * place;
      const known = cells[at];
      if (known === FREE) return undefined;
      if (known !== hash) continue;
      const key = cells[at + KEY] as string;
      if (key.length === end - start && text.startsWith(key, start)) return cells[at + VALUE] as Value;
    }
  }

  set(key: string, value: Value): void {
    const hash = hashOf(key, 0, key.length);
    const place = this.#placeOf(key, hash);
    if (this.#hashAt(place) === FREE && 2 * ++this.#size > this.#mask + 1) {
      this.#grow();
      this.#put(this.#placeOf(key, hash), hash, key, value);
    } else this.#put(place, hash, key, value);
  }

  delete(key: string): void {
    const mask = this.#mask;
    let free = this.#placeOf(key, hashOf(key, 0, key.length));
    if (this.#hashAt(free) === FREE) return;
    this.#size--;
    // What lies behind moves up, unless that would put it before where its lookup begins.
    for (let place = (free + 1) & mask; this.#hashAt(place) !== FREE; place = (place + 1) & mask) {
      if (((place - this.#hashAt(place)) & mask) < ((place - free) & mask)) continue;
      this.#cells.copyWithin(STRIDE * free, STRIDE * place, STRIDE * (place + 1));
      free = place;
    }
    this.#put(free, FREE, undefined, undefined);
  }

  /** Where the key stands, or would. */
  #placeOf(key: string, hash: number): number {
    const mask = this.#mask;
    let place = hash & mask;
    while (this.#hashAt(place) !== FREE && this.#cells[STRIDE * place + KEY] !== key) place = (place + 1) & mask;
    return place;
  }

  #hashAt(place: number): number {
    return this.#cells[STRIDE * place] as number;
  }

  #put(place: number, hash: number, key: string | undefined, value: Value | undefined): void {
    const at = STRIDE * place;
    this.#cells[at] = hash;
    this.#cells[at + KEY] = key;
    this.#cells[at + VALUE] = value;
  }

  #grow(): void {
    const before = this.#cells;
    const places = 2 * (this.#mask + 1);
    this.#cells = cellsOf(places);
    this.#mask = places - 1;
    for (let at = 0; at < before.length; at += STRIDE) {
      const hash = before[at] as number;
      const key = before[at + KEY] as string;
      if (hash !== FREE) this.#put(this.#placeOf(key, hash), hash, key, before[at + VALUE] as Value);
    }
  }
}

/** All of them free. */
function cellsOf<Value>(places: number): Cell<Value>[] {
  const cells: Cell<Value>[] = new Array(STRIDE * places).fill(undefined);
  for (let at = 0; at < cells.length; at += STRIDE) cells[at] = FREE;
  return cells;
}

/** FNV-1a (Fowler, Noll, Vo), its upper half folded onto the lower one, by which places are chosen. Never `FREE`. */
function hashOf(text: string, start: number, end: number): number {
  let hash = 0x811c9dc5;
  for (let at = start; at < end; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return (hash ^ (hash >>> 15)) | 0 || 1;
}
