import { z } from "zod";
import { hashHex, perhapsTime } from "./scalars.ts";

export const AboutAnswer = z.looseObject({ node_id: z.string().nullish(), runway_version: z.string() });

export const LogLevelAnswer = z.strictObject({
  level: z.string(),
  configured: z.string(),
  until: perhapsTime.describe("When it is as configured again."),
});

export const RenewAnswer = z.strictObject({ status: z.literal("renewing") });
export const ResyncAnswer = z.strictObject({ status: z.literal("resyncing") });

export const RunningAnswer = z.strictObject({
  epoch: z.string().nullable(),
  version: z.int().nullable(),
  hash_hex: hashHex.nullable(),
  resources: z.record(z.string(), z.int()).describe("How many of each kind."),
  data: z
    .array(z.record(z.string(), z.json()))
    .optional()
    .describe("Those that were asked for, at most 100, without secrets."),
  data_total: z.int().optional(),
  secret_references: z.array(z.strictObject({ kind: z.string(), id: z.string(), reference: z.string() })),
});
