import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { AdminRole } from "../../config/node-settings.ts";
import type { Token } from "../../config/token-store.ts";

/** The statements on the table of tokens. */
export class TokenTable {
  readonly #count: StatementSync;
  readonly #all: StatementSync;
  readonly #bySecret: StatementSync;
  readonly #byId: StatementSync;
  readonly #add: StatementSync;
  readonly #revoke: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#count = database.prepare("SELECT count(*) AS count FROM token");
    this.#all = database.prepare("SELECT * FROM token ORDER BY created_at DESC, id");
    this.#bySecret = database.prepare("SELECT * FROM token WHERE secret_hash = ?");
    this.#byId = database.prepare("SELECT * FROM token WHERE id = ?");
    this.#add = database.prepare("INSERT INTO token VALUES (?, ?, ?, ?, ?, ?, ?, NULL)");
    this.#revoke = database.prepare("UPDATE token SET revoked_at = ? WHERE id = ? AND revoked_at IS NULL");
    this.#forget = database.prepare(
      "DELETE FROM token WHERE min(ifnull(expires_at, 9e15), ifnull(revoked_at, 9e15)) < ?",
    );
  }

  count(): number {
    return Number(this.#count.get()?.count);
  }

  all(): Token[] {
    return this.#all.all().map(toToken);
  }

  bySecret(secretHash: string): Token | undefined {
    const row = this.#bySecret.get(secretHash);
    return row && toToken(row);
  }

  byId(id: string): Token | undefined {
    const row = this.#byId.get(id);
    return row && toToken(row);
  }

  add({ id, name, role, secretHash, createdAt, createdBy, expiresAt }: Token): void {
    this.#add.run(id, name, role, secretHash, createdAt, createdBy, expiresAt ?? null);
  }

  /** Answers whether it was valid until now. */
  revoke(id: string, at: number): boolean {
    return this.#revoke.run(at, id).changes > 0;
  }

  /** Those that came to their end before `at`. */
  forgetEndedBefore(at: number): void {
    this.#forget.run(at);
  }
}

function toToken(row: Record<string, unknown>): Token {
  return {
    id: String(row.id),
    name: String(row.name),
    role: row.role as AdminRole,
    secretHash: String(row.secret_hash),
    createdAt: Number(row.created_at),
    createdBy: String(row.created_by),
    ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: Number(row.revoked_at) }),
  };
}
