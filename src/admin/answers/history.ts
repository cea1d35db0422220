import { z } from "zod";
import { Change } from "./change.ts";
import { hashHex, perhapsTime, time } from "./scalars.ts";

const summary = {
  version: z.int(),
  epoch: z.string(),
  hash_hex: hashHex,
  author: z.string(),
  source: z.string(),
  message: z.string(),
  committed_at: time,
};

const next = z.string().nullable().describe("Where the next page is.");

export const VersionsAnswer = z.strictObject({ data: z.array(z.strictObject(summary)), next });

export const VersionAnswer = z.strictObject({ ...summary, yaml: z.string().describe("The document of the version.") });

export const DifferenceAnswer = z.strictObject({ from: z.int(), to: z.int(), changes: z.array(Change) });

const hash = z.string().regex(/^[0-9a-f]{64}$/);

export const AuditAnswer = z.strictObject({
  data: z.array(
    z.strictObject({
      number: z.int().describe("From 1, without gaps."),
      at: perhapsTime,
      at_ms: z.number(),
      author: z.string(),
      action: z.string(),
      detail: z.record(z.string(), z.unknown()),
      previous: hash.describe("The hash of the entry before."),
      hash,
    }),
  ),
  next,
});

export const VerificationAnswer = z.union([
  z.strictObject({ whole: z.literal(true), entries: z.int(), newest_hash: hash }),
  z.strictObject({ whole: z.literal(false), fault: z.string() }),
]);
