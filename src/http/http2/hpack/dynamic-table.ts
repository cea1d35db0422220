/** What the table of one direction of a connection may hold, unless the one who reads it allows less (RFC 9113 §6.5.2). */
export const DEFAULT_TABLE_BYTES = 4_096;
/** What an entry counts besides its text (RFC 7541 §4.1). */
export const ENTRY_BYTES = 32;

const SLOTS = DEFAULT_TABLE_BYTES / ENTRY_BYTES;

/** An entry; `bytes` is what it counts. */
export interface TableEntry {
  readonly bytes: number;
}

/** The fields that were sent last on a connection (RFC 7541 §2.3.2), newest first; what does not fit any more is let go, oldest first. */
export class DynamicTable<Entry extends TableEntry> {
  readonly #slots: (Entry | undefined)[] = [];
  readonly #onEvicted: ((entry: Entry) => void) | undefined;
  /** Entries that were ever added, and let go. */
  #added = 0;
  #evicted = 0;
  #bytes = 0;
  #maxBytes = DEFAULT_TABLE_BYTES;

  constructor(onEvicted?: (entry: Entry) => void) {
    this.#onEvicted = onEvicted;
  }

  /** What the entry that is added next will be called by `indexOf`. */
  get nextNumber(): number {
    return this.#added;
  }

  get maxBytes(): number {
    return this.#maxBytes;
  }

  /** At most DEFAULT_TABLE_BYTES. */
  set maxBytes(maxBytes: number) {
    this.#maxBytes = maxBytes;
    this.#shrinkTo(maxBytes);
  }

  /** @param index 1 is the newest */
  get(index: number): Entry | undefined {
    return index > this.#added - this.#evicted ? undefined : this.#slots[(this.#added - index) % SLOTS];
  }

  /** Where the entry of this number is now. */
  indexOf(number: number): number {
    return this.#added - number;
  }

  /** One that is larger than the table empties it and is not kept (RFC 7541 §4.4). */
  add(entry: Entry): void {
    this.#shrinkTo(this.#maxBytes - entry.bytes);
    if (entry.bytes > this.#maxBytes) return;
    this.#slots[this.#added++ % SLOTS] = entry;
    this.#bytes += entry.bytes;
  }

  #shrinkTo(bytes: number): void {
    while (this.#bytes > bytes && this.#evicted < this.#added) {
      const slot = this.#evicted++ % SLOTS;
      const entry = this.#slots[slot]!;
      this.#slots[slot] = undefined;
      this.#bytes -= entry.bytes;
      this.#onEvicted?.(entry);
    }
  }
}
