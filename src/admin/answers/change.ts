import { z } from "zod";
import { hash64, hashHex, time } from "./scalars.ts";

const Missing = z.strictObject({
  node_id: z.string(),
  why: z.enum(["refused", "left", "pending"]),
  detail: z.string(),
});

const Fleet = z.strictObject({
  complete: z.boolean(),
  applied: z.array(z.string()),
  missing: z.array(Missing),
  slowest: z.strictObject({ node_id: z.string(), after_ms: z.number() }).nullable(),
  median_ms: z.number().nullish(),
  p99_ms: z.number().nullish(),
});

const Content = z.looseObject({ id: z.string() }).nullable();

export const Change = z.strictObject({
  kind: z.string(),
  id: z.string(),
  action: z.enum(["added", "changed", "removed"]),
  before: Content,
  after: Content,
});

/** What a change of resources did. */
export function changeShape(resource?: z.ZodType): z.ZodType {
  return z.strictObject({
    ...(resource === undefined ? {} : { data: resource }),
    version: z.int().optional().describe("The version in force; after a dry run the one that it would be."),
    hash_hex: hashHex.nullable(),
    dry_run: z.literal(true).optional(),
    changes: z.array(Change).describe("Everything that is different, with what was there before."),
    fleet: Fleet.optional().describe("With `wait=applied`: who has applied it."),
  });
}

export const ChangeAnswer = changeShape();

/** The capitals are the cluster contract's. */
const reload = {
  Success: z.boolean(),
  Timestamp: time,
  Changes: z.array(z.string()).describe("`route:api added`"),
  Error: z.string().optional(),
  Version: z.int().optional(),
  Hash: hash64.optional(),
};
export const ReloadAnswer = z.strictObject(reload);

export const PushAnswer = z.strictObject({
  ...reload,
  DryRun: z.boolean().optional(),
  Fleet: z.looseObject({ Complete: z.boolean(), Applied: z.array(z.string()) }).optional(),
});

export const HashAnswer = z.strictObject({
  version: z.int(),
  hash: hash64,
  timestamp: time,
  source: z.string(),
  hash_hex: hashHex,
  epoch: z.string(),
});
