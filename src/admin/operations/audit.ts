import { z } from "zod";
import { type AuditEntry, type AuditLog, verifyAudit } from "../../config/audit-log.ts";
import { AuditAnswer, VerificationAnswer } from "../answers/history.ts";
import { type Operation, operation } from "../operation.ts";
import { timestamp } from "../write-json.ts";

const ROLES = ["control_plane"] as const;
const AuditQuery = z.strictObject({
  size: z.coerce.number().int().min(1).max(1_000).default(100).describe("How many at most."),
  after: z.coerce.number().int().min(0).default(0).describe("Only entries above this number."),
});

/** What was done, by whom and when, as a chain of hashes. */
export function auditOperations(audit: Pick<AuditLog, "entries">): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/api/v1/audit",
      roles: ROLES,
      access: "administrator",
      summary:
        "The audit log, oldest first: each entry holds the hash of the one before, so that an export can be checked.",
      query: AuditQuery,
      answer: AuditAnswer,
      handle: async ({ query: { size, after } }) => {
        const entries = await audit.entries({ limit: size, after });
        const last = entries.at(-1)?.number;
        const next = entries.length < size ? null : `/api/v1/audit?size=${size}&after=${last}`;
        return { json: { data: entries.map(entryJson), next } };
      },
    }),
    operation({
      method: "GET",
      path: "/api/v1/audit/verification",
      roles: ROLES,
      access: "administrator",
      summary: "Whether the chain of the audit log is whole, and its newest hash, to be kept elsewhere.",
      answer: VerificationAnswer,
      handle: async () => {
        const verdict = await verifyAudit(audit);
        return verdict.ok
          ? { json: { whole: true, entries: verdict.entries, newest_hash: verdict.newestHash } }
          : { json: { whole: false, fault: verdict.fault } };
      },
    }),
  ];
}

function entryJson({ number, at, author, action, detail, previous, hash }: AuditEntry) {
  return { number, at: timestamp(at), at_ms: at, author, action, detail, previous, hash };
}
