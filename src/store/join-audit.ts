import type { AuditRecord } from "../config/audit-log.ts";
import { type JoinToken, MAX_JOIN_TOKENS } from "../config/join-token-store.ts";
import { RunwayError } from "../core/failure.ts";

/** The entries that join tokens have in the audit log; never the secret or its hash. */
export function auditOfJoinToken(
  action: "join_token.create" | "join_token.revoke",
  { id, nodeId, expiresAt }: JoinToken,
  author: string,
): AuditRecord {
  return { author, action, detail: { id, node_id: nodeId ?? null, expires_at: expiresAt } };
}

/** Written when a token is used, not when its user asks again. */
export function auditOfJoin({ id }: JoinToken, nodeId: string, keyFingerprint: string): AuditRecord {
  return { author: `node ${nodeId}`, action: "node.join", detail: { node_id: nodeId, token: id, key: keyFingerprint } };
}

export function refuseJoinToken(): never {
  throw new RunwayError("overloaded", `There are ${MAX_JOIN_TOKENS} join tokens already, and no more are kept.`);
}
