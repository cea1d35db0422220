import type { Delta } from "../config/delta.ts";
import type { LeftOut } from "../config/edition-rules.ts";
import type { Snapshot } from "../config/snapshot.ts";
import { xxhash64 } from "../config/state-hash.ts";
import { encodeSnapshot } from "./configuration-encoding.ts";
import { writeDelta } from "./delta-offer.ts";
import { LIMITS } from "./limits.ts";
import type { Chunk, DeltaUpdate, Encoding, OriginalUpdate, Stamp } from "./messages.ts";

export interface PublicationSource {
  readonly snapshot: Snapshot;
  /** `init`, `file` or `admin-api`. */
  readonly source: string;
  readonly timestampMs: number;
  /** The document for original data planes; called only when one needs it. */
  readonly originalYaml: () => string;
  /** What the programs that it is for do not know, and is not in the snapshot. */
  readonly leftOut?: readonly LeftOut[];
  /** Why it is given to nobody of them; empty when it is. */
  readonly obstacle?: string;
  /** What turns an older state into this one, where that is known; undefined where it is not. */
  readonly since?: (base: Stamp) => Delta | undefined;
}

/** Deltas that are kept; a fleet has few distinct states at a time. */
const MAX_KEPT_DELTAS = 64;

/**
 * A configuration on its way to the fleet. Each spelling is made once, when the first node needs it, and the same
 * messages go to every stream, so a transport may keep their bytes by identity.
 */
export class Publication {
  readonly stamp: Stamp;
  readonly #source: PublicationSource;
  readonly #maxChunkBytes: number;
  readonly #chunks = new Map<Encoding, readonly Chunk[]>();
  readonly #deltas = new Map<string, DeltaUpdate | undefined>();
  #original: OriginalUpdate | undefined;

  constructor(source: PublicationSource, maxChunkBytes: number = LIMITS.chunkBytes) {
    const { epoch, version, hash } = source.snapshot;
    this.stamp = { epoch, version, hash };
    this.#source = source;
    this.#maxChunkBytes = maxChunkBytes;
  }

  get leftOut(): readonly LeftOut[] {
    return this.#source.leftOut ?? [];
  }

  get obstacle(): string {
    return this.#source.obstacle ?? "";
  }

  /** What a node lacks that runs `base`, as it is; undefined where that is not known. */
  since(base: Stamp): Delta | undefined {
    return this.#source.since?.(base);
  }

  chunks(encoding: Encoding): readonly Chunk[] {
    const known = this.#chunks.get(encoding);
    if (known !== undefined) return known;
    const chunks = this.#split(encoding);
    this.#chunks.set(encoding, chunks);
    return chunks;
  }

  /** What a node lacks that runs `base`; undefined where a snapshot is the shorter way, or the only one. */
  delta(base: Stamp, encoding: Encoding): DeltaUpdate | undefined {
    const key = `${encoding} ${base.epoch} ${base.version} ${base.hash}`;
    if (this.#deltas.has(key)) return this.#deltas.get(key);
    const update = this.#deltaSince(base, encoding);
    if (this.#deltas.size >= MAX_KEPT_DELTAS) this.#deltas.clear();
    this.#deltas.set(key, update);
    return update;
  }

  original(): OriginalUpdate {
    this.#original ??= this.#renderOriginal();
    return this.#original;
  }

  #deltaSince(base: Stamp, encoding: Encoding): DeltaUpdate | undefined {
    const { snapshot } = this.#source;
    const delta = this.since(base);
    if (delta === undefined || delta.upserts.length > snapshot.resources.length / 2 + 1) return undefined;
    return writeDelta(base, this.stamp, delta, encoding);
  }

  #split(encoding: Encoding): readonly Chunk[] {
    const bytes = encodeSnapshot(this.#source.snapshot.resources, encoding);
    const count = Math.ceil(bytes.byteLength / this.#maxChunkBytes);
    const checksum = xxhash64(bytes);
    return Array.from({ length: count }, (_, index) => {
      const start = index * this.#maxChunkBytes;
      const data = bytes.subarray(start, start + this.#maxChunkBytes);
      return { type: "chunk", stamp: this.stamp, encoding, index, count, checksum, data };
    });
  }

  #renderOriginal(): OriginalUpdate {
    const { source, timestampMs, originalYaml } = this.#source;
    const yaml = Buffer.from(originalYaml());
    return { type: "original", version: this.stamp.version, yaml, hash: xxhash64(yaml), timestampMs, source };
  }
}
