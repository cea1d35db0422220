import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { xxhash64 } from "../config/state-hash.ts";
import { decodeSnapshot } from "./configuration-encoding.ts";
import { LIMITS } from "./limits.ts";
import type { Chunk, PartialTransfer } from "./messages.ts";

/**
 * The receiving end of a chunked snapshot. Chunks of one transfer come in order; a transfer that was cut with its stream
 * is kept and gone on with from the chunk that is missing, on any later stream that offers the same bytes.
 */
export interface Transfer {
  /** Every chunk so far, in order. */
  readonly chunks: readonly Chunk[];
}

export type TransferStep =
  | { readonly status: "open"; readonly transfer: Transfer }
  | { readonly status: "complete"; readonly transfer: Transfer }
  | { readonly status: "broken"; readonly reason: string };

export function takeChunk(transfer: Transfer | undefined, chunk: Chunk): TransferStep {
  const { index, count, data } = chunk;
  if (count < 1 || count > LIMITS.chunks || index < 0 || index >= count)
    return broken(`chunk ${index} of ${count} cannot be: at most ${LIMITS.chunks} are taken`);
  if (data.byteLength > LIMITS.chunkBytes)
    return broken(`chunk ${index} has ${data.byteLength} bytes: at most ${LIMITS.chunkBytes} are taken`);
  const before = index === 0 ? [] : transfer !== undefined && belongs(transfer, chunk) ? transfer.chunks : undefined;
  if (before === undefined || before.length !== index)
    return broken(`chunk ${index} of version ${chunk.stamp.version} came where chunk ${before?.length ?? 0} was due`);
  const chunks = [...before, chunk];
  return { status: chunks.length === count ? "complete" : "open", transfer: { chunks } };
}

/** What a node tells a control plane, so that it goes on where the transfer was cut. */
export function describePartial(transfer: Transfer | undefined): PartialTransfer | undefined {
  const first = transfer?.chunks[0];
  if (transfer === undefined || first === undefined) return undefined;
  const { epoch, version } = first.stamp;
  return { epoch, version, checksum: first.checksum, nextIndex: transfer.chunks.length };
}

export type Verified =
  | { readonly ok: true; readonly snapshot: Snapshot }
  | { readonly ok: false; readonly reason: string };

/** Nothing leaves here whose bytes and whose state do not have the hashes that they were announced with. */
export function verifySnapshot({ chunks }: Transfer): Verified {
  const { stamp, checksum, encoding } = chunks[0]!;
  const bytes = Buffer.concat(chunks.map((chunk) => chunk.data));
  if (xxhash64(bytes) !== checksum) return { ok: false, reason: "the bytes do not have the announced checksum" };
  try {
    const resources = decodeSnapshot(bytes, encoding, LIMITS.decodedBytes);
    const snapshot = createSnapshot({ ...stamp, resources });
    if (snapshot.hash !== stamp.hash) return { ok: false, reason: "the resources do not have the announced hash" };
    return { ok: true, snapshot };
  } catch (error) {
    return { ok: false, reason: `the snapshot cannot be read: ${(error as Error).message}` };
  }
}

function belongs(transfer: Transfer, chunk: Chunk): boolean {
  const first = transfer.chunks[0]!;
  return (
    first.checksum === chunk.checksum &&
    first.count === chunk.count &&
    first.encoding === chunk.encoding &&
    first.stamp.epoch === chunk.stamp.epoch &&
    first.stamp.version === chunk.stamp.version &&
    first.stamp.hash === chunk.stamp.hash
  );
}

function broken(reason: string): TransferStep {
  return { status: "broken", reason };
}
