import type { Snapshot } from "../config/snapshot.ts";
import { xxhash64 } from "../config/state-hash.ts";
import { LIMITS } from "./limits.ts";
import type { Chunk, Encoding, OriginalUpdate, Stamp } from "./messages.ts";
import { encodeSnapshot } from "./snapshot-encoding.ts";

export interface PublicationSource {
  readonly snapshot: Snapshot;
  /** `init`, `file` or `admin-api`. */
  readonly source: string;
  readonly timestampMs: number;
  /** The document for original data planes; called only when one needs it. */
  readonly originalYaml: () => string;
}

/**
 * A configuration on its way to the fleet. Each spelling is made once, when the first node needs it, and the same
 * messages go to every stream, so a transport may keep their bytes by identity.
 */
export class Publication {
  readonly stamp: Stamp;
  readonly #source: PublicationSource;
  readonly #maxChunkBytes: number;
  readonly #chunks = new Map<Encoding, readonly Chunk[]>();
  #original: OriginalUpdate | undefined;

  constructor(source: PublicationSource, maxChunkBytes: number = LIMITS.chunkBytes) {
    const { epoch, version, hash } = source.snapshot;
    this.stamp = { epoch, version, hash };
    this.#source = source;
    this.#maxChunkBytes = maxChunkBytes;
  }

  chunks(encoding: Encoding): readonly Chunk[] {
    const known = this.#chunks.get(encoding);
    if (known !== undefined) return known;
    const chunks = this.#split(encoding);
    this.#chunks.set(encoding, chunks);
    return chunks;
  }

  original(): OriginalUpdate {
    this.#original ??= this.#renderOriginal();
    return this.#original;
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
