import type { DatabaseSync, StatementSync } from "node:sqlite";
import { type AuditEntry, type AuditRecord, nextAuditEntry } from "../../config/audit-log.ts";
import type { JsonObject } from "../../config/json.ts";
import { storedText } from "../stored-text.ts";

/** The statements on the table of the audit log. */
export class AuditTable {
  readonly #newest: StatementSync;
  readonly #page: StatementSync;
  readonly #add: StatementSync;

  constructor(database: DatabaseSync) {
    this.#newest = database.prepare("SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
    this.#page = database.prepare("SELECT * FROM audit WHERE number > ? ORDER BY number LIMIT ?");
    this.#add = database.prepare("INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)");
  }

  /** Runs in a transaction that excludes other writers. */
  append(record: AuditRecord, at: number): AuditEntry {
    const newest = this.#newest.get();
    const last = newest && { number: Number(newest.number), hash: String(newest.hash) };
    const entry = nextAuditEntry(last, { ...record, author: storedText(record.author) }, at);
    const { number, author, action, detail, previous, hash } = entry;
    this.#add.run(number, at, author, action, JSON.stringify(detail), previous, hash);
    return entry;
  }

  page(after: number, limit: number): AuditEntry[] {
    return this.#page.all(after, limit).map((row) => ({
      number: Number(row.number),
      at: Number(row.at),
      author: String(row.author),
      action: String(row.action),
      detail: JSON.parse(String(row.detail)) as JsonObject,
      previous: String(row.previous),
      hash: String(row.hash),
    }));
  }
}
