import type { AuditRecord } from "../config/audit-log.ts";
import { MAX_TOKENS, type Token } from "../config/token-store.ts";
import { RunwayError } from "../core/failure.ts";

/** The entries that tokens have in the audit log; never the secret or its hash. */
export function auditOfToken(action: "token.create" | "token.revoke", token: Token, author: string): AuditRecord {
  const { id, name, role, expiresAt } = token;
  return { author, action, detail: { id, name, role, expires_at: expiresAt ?? null } };
}

export function refuseToken(): never {
  throw new RunwayError("overloaded", `There are ${MAX_TOKENS} tokens already, and no more are kept.`);
}
