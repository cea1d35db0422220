import type { AuditRecord } from "../config/audit-log.ts";
import { MAX_REVOCATIONS, type Revocation, type RevokedKind } from "../config/revocation-list.ts";
import { RunwayError } from "../core/failure.ts";
import { storedText } from "./stored-text.ts";

/** The entries that revocations have in the audit log. */
export function auditOfRevocation({ kind, value, reason, revokedBy }: Revocation): AuditRecord {
  return { author: revokedBy, action: "certificate.revoke", detail: { [kind]: value, reason: storedText(reason) } };
}

export function auditOfLifting(kind: RevokedKind, value: string, author: string): AuditRecord {
  return { author, action: "certificate.reinstate", detail: { [kind]: value } };
}

export function refuseRevocation(): never {
  throw new RunwayError("overloaded", `There are ${MAX_REVOCATIONS} revocations already, and no more are kept.`);
}
