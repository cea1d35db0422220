import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JoinToken, JoinUse } from "../../config/join-token-store.ts";
import { storedText } from "../stored-text.ts";

/** The statements on the table of join tokens. */
export class JoinTokenTable {
  readonly #count: StatementSync;
  readonly #all: StatementSync;
  readonly #bySecret: StatementSync;
  readonly #byUser: StatementSync;
  readonly #add: StatementSync;
  readonly #use: StatementSync;
  readonly #remove: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#count = database.prepare("SELECT count(*) AS count FROM join_token");
    this.#all = database.prepare("SELECT * FROM join_token ORDER BY created_at DESC, id");
    this.#bySecret = database.prepare("SELECT * FROM join_token WHERE secret_hash = ?");
    this.#byUser = database.prepare("SELECT 1 FROM join_token WHERE used_by = ?");
    this.#add = database.prepare("INSERT INTO join_token VALUES (?, ?, ?, ?, ?, ?, NULL, NULL, NULL)");
    this.#use = database.prepare("UPDATE join_token SET used_by = ?, used_key = ?, used_at = ? WHERE id = ?");
    this.#remove = database.prepare("DELETE FROM join_token WHERE id = ? RETURNING *");
    this.#forget = database.prepare("DELETE FROM join_token WHERE expires_at < ?");
  }

  count(): number {
    return Number(this.#count.get()?.count);
  }

  all(): JoinToken[] {
    return this.#all.all().map(toJoinToken);
  }

  bySecret(secretHash: string): JoinToken | undefined {
    const row = this.#bySecret.get(secretHash);
    return row && toJoinToken(row);
  }

  /** Whether a node joined by this id. */
  wasUsedBy(nodeId: string): boolean {
    return this.#byUser.get(nodeId) !== undefined;
  }

  add({ id, secretHash, nodeId, createdAt, createdBy, expiresAt }: JoinToken): void {
    this.#add.run(id, secretHash, nodeId ?? null, createdAt, storedText(createdBy), expiresAt);
  }

  use(id: string, { nodeId, keyFingerprint, at }: JoinUse): void {
    this.#use.run(nodeId, keyFingerprint, at, id);
  }

  /** Answers what was there. */
  remove(id: string): JoinToken | undefined {
    const row = this.#remove.get(id);
    return row && toJoinToken(row);
  }

  forgetEndedBefore(at: number): void {
    this.#forget.run(at);
  }
}

function toJoinToken(row: Record<string, unknown>): JoinToken {
  return {
    id: String(row.id),
    secretHash: String(row.secret_hash),
    ...(row.node_id === null ? {} : { nodeId: String(row.node_id) }),
    createdAt: Number(row.created_at),
    createdBy: String(row.created_by),
    expiresAt: Number(row.expires_at),
    ...(row.used_at === null
      ? {}
      : { use: { nodeId: String(row.used_by), keyFingerprint: String(row.used_key), at: Number(row.used_at) } }),
  };
}
