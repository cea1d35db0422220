import { z } from "zod";
import type { JsonObject } from "../config/json.ts";
import { describeProblem } from "../config/problem.ts";
import { checkShape } from "../config/shape.ts";
import { formatHash } from "../config/state-hash.ts";
import { LIMITS } from "./limits.ts";
import type { Stamp } from "./messages.ts";
import type { Publication } from "./publication.ts";
import { RPC_ERRORS } from "./rpc/json-rpc.ts";
import { RpcFailure } from "./rpc/rpc-failure.ts";
import type { RpcMethod } from "./rpc/rpc-peer.ts";

// Remote calls about the configuration, besides the messages of the session.

export const SYNC_PREFIX = "runway.sync.v1";
/** Says to a node, which has no answer to give, that there is a version which it is not sent, and why. */
export const NEW_VERSION = `${SYNC_PREFIX}.new_version`;

const hash = z
  .string()
  .regex(/^[0-9a-f]{16}$/, "must be 16 hexadecimal digits")
  .transform((digits) => BigInt(`0x${digits}`));
const StampSchema = z.object({ epoch: z.string().max(LIMITS.textLength), version: z.int().min(0), hash });
const Announcement = StampSchema.extend({ reason: z.string().max(LIMITS.textLength) });

/** A version that a node is not sent. */
export interface Withheld {
  readonly newest: Stamp;
  readonly reason: string;
}

/** What a node may ask about the configuration, in the edition that is for it. */
export function syncMethods(newest: () => Publication | undefined): Readonly<Record<string, RpcMethod>> {
  return { [`${SYNC_PREFIX}.get_delta`]: (params) => deltaSince(newest(), read(StampSchema, params)) };
}

export function announcementOf({ newest, obstacle }: { newest: Stamp; obstacle: string }): JsonObject {
  return { ...stampJson(newest), reason: obstacle.slice(0, LIMITS.textLength) };
}

/** What a control plane may say about the configuration. */
export function announcementMethods(heard: (withheld: Withheld) => void): Readonly<Record<string, RpcMethod>> {
  return {
    [NEW_VERSION]: (params) => {
      const { reason, ...stamp } = read(Announcement, params);
      heard({ newest: stamp, reason });
      return null;
    },
  };
}

/** `whole`: what has changed since is not known any more, or too much to be told in an answer. */
function deltaSince(newest: Publication | undefined, base: Stamp): JsonObject {
  if (newest === undefined) throw new RpcFailure({ ...RPC_ERRORS.failed, data: "there is no configuration yet" });
  const named = { ...stampJson(newest.stamp), base: stampJson(base), withheld: newest.obstacle };
  // A node must not come by another way to what it is not sent.
  if (newest.obstacle !== "") return { ...named, whole: false, upserts: [], removals: [] };
  const { epoch, version, hash } = newest.stamp;
  const isLevel = epoch === base.epoch && version === base.version && hash === base.hash;
  const delta = isLevel ? { upserts: [], removals: [] } : newest.since(base);
  const answer: JsonObject = {
    ...named,
    whole: delta === undefined,
    upserts: (delta?.upserts ?? []).map(({ kind, id, spec }) => ({ kind, id, spec })),
    removals: (delta?.removals ?? []).map(({ kind, id }) => ({ kind, id })),
  };
  return JSON.stringify(answer).length <= LIMITS.chunkBytes
    ? answer
    : { ...named, whole: true, upserts: [], removals: [] };
}

function stampJson({ epoch, version, hash }: Stamp): JsonObject {
  return { epoch, version, hash: formatHash(hash) };
}

function read<Schema extends z.ZodType>(schema: Schema, params: JsonObject): z.output<Schema> {
  const shape = checkShape(schema, params);
  if (shape.ok) return shape.value;
  throw new RpcFailure({ ...RPC_ERRORS.invalidParams, data: shape.problems.map(describeProblem).join("; ") });
}
