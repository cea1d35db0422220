import type { Delta, EffectiveDelta } from "../config/delta.ts";
import { changeSnapshot, type Snapshot } from "../config/snapshot.ts";
import { xxhash64 } from "../config/state-hash.ts";
import type { FailureKind } from "../core/failure.ts";
import { decodeDelta, encodeDelta } from "./configuration-encoding.ts";
import { isSameStamp } from "./delta-history.ts";
import { LIMITS } from "./limits.ts";
import type { DeltaUpdate, Encoding, Stamp } from "./messages.ts";

/** The message that takes a node from `base` to `stamp`; undefined when it would be longer than a message may be. */
export function writeDelta(base: Stamp, stamp: Stamp, delta: Delta, encoding: Encoding): DeltaUpdate | undefined {
  const data = encodeDelta(delta, encoding);
  if (data.byteLength > LIMITS.chunkBytes) return undefined;
  return { type: "delta", base, stamp, encoding, checksum: xxhash64(data), data };
}

export type ReadDelta =
  | { readonly ok: true; readonly snapshot: Snapshot; readonly delta: EffectiveDelta }
  | { readonly ok: false; readonly kind: FailureKind; readonly reason: string };

/** Nothing leaves here whose bytes and whose state do not have the hashes that they were announced with. */
export function readDelta(update: DeltaUpdate, running: Snapshot | undefined): ReadDelta {
  const { base, stamp, encoding, checksum, data } = update;
  if (running === undefined || !isSameStamp(base, running))
    return {
      ok: false,
      kind: "deltaMismatch",
      reason: `this node does not run version ${base.version}, which it builds on`,
    };
  if (xxhash64(data) !== checksum) return broken("the bytes do not have the announced checksum");
  try {
    const changed = changeSnapshot(running, stamp.version, decodeDelta(data, encoding, LIMITS.decodedBytes));
    if (changed.snapshot.hash !== stamp.hash)
      return broken("the state after the change does not have the announced hash");
    return { ok: true, ...changed };
  } catch (error) {
    return broken(`the change cannot be read: ${(error as Error).message}`);
  }
}

function broken(reason: string): ReadDelta {
  return { ok: false, kind: "integrityMismatch", reason };
}
