import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { Revocation, RevokedKind } from "../../config/revocation-list.ts";
import { storedText } from "../stored-text.ts";

/** The statements on the table of what was revoked. */
export class RevocationTable {
  readonly #count: StatementSync;
  readonly #all: StatementSync;
  readonly #put: StatementSync;
  readonly #remove: StatementSync;
  readonly #forget: StatementSync;

  constructor(database: DatabaseSync) {
    this.#count = database.prepare("SELECT count(*) AS count FROM revocation");
    this.#all = database.prepare("SELECT * FROM revocation ORDER BY revoked_at DESC, kind, value");
    this.#put = database.prepare("INSERT OR REPLACE INTO revocation VALUES (?, ?, ?, ?, ?, ?)");
    this.#remove = database.prepare("DELETE FROM revocation WHERE kind = ? AND value = ?");
    this.#forget = database.prepare("DELETE FROM revocation WHERE expires_at < ?");
  }

  count(): number {
    return Number(this.#count.get()?.count);
  }

  all(): Revocation[] {
    return this.#all.all().map((row) => ({
      kind: row.kind as RevokedKind,
      value: String(row.value),
      reason: String(row.reason),
      revokedAt: Number(row.revoked_at),
      revokedBy: String(row.revoked_by),
      ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
    }));
  }

  put({ kind, value, reason, revokedAt, revokedBy, expiresAt }: Revocation): void {
    this.#put.run(kind, value, storedText(reason), revokedAt, storedText(revokedBy), expiresAt ?? null);
  }

  /** Answers whether it was there. */
  remove(kind: RevokedKind, value: string): boolean {
    return this.#remove.run(kind, value).changes > 0;
  }

  /** Those of certificates that ended before `at`. */
  forgetEndedBefore(at: number): void {
    this.#forget.run(at);
  }
}
