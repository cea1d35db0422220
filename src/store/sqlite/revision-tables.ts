import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JsonObject } from "../../config/json.ts";
import { inCanonicalOrder, type Resource, type ResourceKind } from "../../config/resource.ts";
import type { RevisionSource, RevisionSummary } from "../../config/revision-log.ts";
import { freezeResource } from "../../config/snapshot.ts";
import { formatHash } from "../../config/state-hash.ts";
import type { Schema } from "./database.ts";

/**
 * A resource's row holds from the version `since` on and until before the version `until`, or up to now. So a version
 * costs what it changes, and every version can be read back.
 */
export const REVISION_LOG_SCHEMA: Schema = {
  name: "revision log",
  applicationId: 0x52_57_52_4c, // "RWRL"
  migrations: [
    `CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT;
     CREATE TABLE revision (
       version INTEGER PRIMARY KEY CHECK (version > 0),
       hash TEXT NOT NULL,
       author TEXT NOT NULL,
       source TEXT NOT NULL,
       message TEXT NOT NULL,
       committed_at INTEGER NOT NULL
     ) STRICT;
     CREATE TABLE resource (
       kind TEXT NOT NULL,
       id TEXT NOT NULL,
       since INTEGER NOT NULL REFERENCES revision,
       until INTEGER REFERENCES revision,
       spec TEXT NOT NULL,
       PRIMARY KEY (kind, id, since)
     ) STRICT;
     CREATE UNIQUE INDEX current_resource ON resource (kind, id) WHERE until IS NULL;`,
  ],
};

/** Facts about the whole log: the epoch, and the state hash that last came from the file. */
export type FactName = "epoch" | "file_hash";

/** The statements on the tables of a revision log; each is a row in or out, and knows no rules. */
export class RevisionTables {
  readonly #epoch: string;
  readonly #readFact: StatementSync;
  readonly #writeFact: StatementSync;
  readonly #newest: StatementSync;
  readonly #oneRevision: StatementSync;
  readonly #page: StatementSync;
  readonly #addRevision: StatementSync;
  readonly #state: StatementSync;
  readonly #addResource: StatementSync;
  readonly #endResource: StatementSync;

  /** The epoch is the one in the database, or `newEpoch` for a database that has none. */
  constructor(database: DatabaseSync, newEpoch: string) {
    this.#readFact = database.prepare("SELECT value FROM fact WHERE name = ?");
    this.#writeFact = database.prepare(
      "INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    this.#newest = database.prepare("SELECT max(version) AS version FROM revision");
    this.#oneRevision = database.prepare("SELECT * FROM revision WHERE version = ?");
    this.#page = database.prepare("SELECT * FROM revision WHERE version < ? ORDER BY version DESC LIMIT ?");
    this.#addRevision = database.prepare("INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?)");
    this.#state = database.prepare(
      "SELECT kind, id, spec FROM resource WHERE since <= :version AND (until IS NULL OR until > :version)",
    );
    this.#addResource = database.prepare("INSERT INTO resource VALUES (?, ?, ?, NULL, ?)");
    this.#endResource = database.prepare("UPDATE resource SET until = ? WHERE kind = ? AND id = ? AND until IS NULL");
    database.prepare("INSERT INTO fact VALUES ('epoch', ?) ON CONFLICT DO NOTHING").run(newEpoch);
    this.#epoch = this.fact("epoch") ?? newEpoch;
  }

  get epoch(): string {
    return this.#epoch;
  }

  fact(name: FactName): string | undefined {
    const row = this.#readFact.get(name);
    return row === undefined ? undefined : String(row.value);
  }

  setFact(name: FactName, value: string): void {
    this.#writeFact.run(name, value);
  }

  /** 0 when there is none. */
  newestVersion(): number {
    return Number(this.#newest.get()?.version ?? 0);
  }

  summary(version: number): RevisionSummary | undefined {
    const row = this.#oneRevision.get(version);
    return row === undefined ? undefined : this.#toSummary(row);
  }

  summaries(before: number, limit: number): RevisionSummary[] {
    return this.#page.all(before, limit).map((row) => this.#toSummary(row));
  }

  addSummary({ version, hash, author, source, message, committedAt }: RevisionSummary): void {
    this.#addRevision.run(version, formatHash(hash), author, source, message, committedAt);
  }

  /** The resources of a version, frozen, in canonical order. */
  state(version: number): Resource[] {
    const rows = this.#state.all({ version });
    return inCanonicalOrder(rows.map(({ kind, id, spec }) => toResource(String(kind), String(id), String(spec))));
  }

  addResource({ kind, id, spec }: Resource, since: number): void {
    this.#addResource.run(kind, id, since, JSON.stringify(spec));
  }

  endResource({ kind, id }: Pick<Resource, "kind" | "id">, until: number): void {
    this.#endResource.run(until, kind, id);
  }

  #toSummary(row: Record<string, unknown>): RevisionSummary {
    return {
      epoch: this.#epoch,
      version: Number(row.version),
      hash: BigInt(`0x${row.hash}`),
      author: String(row.author),
      source: row.source as RevisionSource,
      message: String(row.message),
      committedAt: Number(row.committed_at),
    };
  }
}

function toResource(kind: string, id: string, spec: string): Resource {
  return freezeResource({ kind: kind as ResourceKind, id, spec: JSON.parse(spec) as JsonObject });
}
