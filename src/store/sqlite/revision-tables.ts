import type { DatabaseSync, StatementSync } from "node:sqlite";
import type { JsonObject } from "../../config/json.ts";
import { inCanonicalOrder, type Resource, type ResourceRef } from "../../config/resource.ts";
import type { RevisionSource, RevisionSummary } from "../../config/revision-log.ts";
import { freezeResource } from "../../config/snapshot.ts";
import { formatHash } from "../../config/state-hash.ts";

/** Facts about the whole store: the epoch, the state hash that last came from the file, how often something was revoked. */
export type FactName = "epoch" | "file_hash" | "revocation_mark";

/**
 * The statements on the tables of a revision log; each is rows in or out, and knows no rules. A resource's row holds from
 * the version `since` on and until before the version `until`, or up to now. So a version costs what it changes, every
 * version can be read back without going through those between, and what differs between two is found by index.
 */
export class RevisionTables {
  readonly #epoch: string;
  readonly #readFact: StatementSync;
  readonly #writeFact: StatementSync;
  readonly #bounds: StatementSync;
  readonly #oldestSince: StatementSync;
  readonly #oneRevision: StatementSync;
  readonly #page: StatementSync;
  readonly #addRevision: StatementSync;
  readonly #state: StatementSync;
  readonly #ended: StatementSync;
  readonly #begun: StatementSync;
  readonly #addResource: StatementSync;
  readonly #endResource: StatementSync;
  readonly #forgetResources: StatementSync;
  readonly #forgetRevisions: StatementSync;

  /** The epoch is the one in the database, or `newEpoch` for a database that has none. */
  constructor(database: DatabaseSync, newEpoch: string) {
    this.#readFact = database.prepare("SELECT value FROM fact WHERE name = ?");
    this.#writeFact = database.prepare(
      "INSERT INTO fact VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
    );
    this.#bounds = database.prepare(
      "SELECT (SELECT min(version) FROM revision) AS oldest, (SELECT max(version) FROM revision) AS newest",
    );
    this.#oldestSince = database.prepare("SELECT min(version) AS version FROM revision WHERE committed_at >= ?");
    this.#oneRevision = database.prepare("SELECT * FROM revision WHERE version = ?");
    this.#page = database.prepare("SELECT * FROM revision WHERE version < ? ORDER BY version DESC LIMIT ?");
    this.#addRevision = database.prepare("INSERT INTO revision VALUES (?, ?, ?, ?, ?, ?)");
    this.#state = database.prepare(
      "SELECT kind, id, spec FROM resource WHERE since <= :version AND (until IS NULL OR until > :version)",
    );
    this.#ended = database.prepare(
      "SELECT kind, id, spec FROM resource WHERE until > :from AND until <= :to AND since <= :from",
    );
    this.#begun = database.prepare(
      "SELECT kind, id, spec FROM resource WHERE since > :from AND since <= :to AND (until IS NULL OR until > :to)",
    );
    this.#addResource = database.prepare("INSERT INTO resource VALUES (?, ?, ?, NULL, ?)");
    this.#endResource = database.prepare("UPDATE resource SET until = ? WHERE kind = ? AND id = ? AND until IS NULL");
    this.#forgetResources = database.prepare("DELETE FROM resource WHERE until <= ?");
    this.#forgetRevisions = database.prepare("DELETE FROM revision WHERE version < ?");
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

  /** The oldest and the newest version that are kept; 0 when there is none. */
  bounds(): { readonly oldest: number; readonly newest: number } {
    const row = this.#bounds.get();
    return { oldest: Number(row?.oldest ?? 0), newest: Number(row?.newest ?? 0) };
  }

  /** The oldest version that was committed at this time or later. */
  oldestSince(committedAt: number): number | undefined {
    const version = this.#oldestSince.get(committedAt)?.version;
    return version === null || version === undefined ? undefined : Number(version);
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
    return inCanonicalOrder(this.#state.all({ version }).map(toResource));
  }

  /** Of two versions, the lower first: what the lower has and the higher no longer has, and the other way round. */
  between(from: number, to: number): { readonly ended: Resource[]; readonly begun: Resource[] } {
    return {
      ended: this.#ended.all({ from, to }).map(toResource),
      begun: this.#begun.all({ from, to }).map(toResource),
    };
  }

  addResource({ kind, id, spec }: Resource, since: number): void {
    this.#addResource.run(kind, id, since, JSON.stringify(spec));
  }

  endResource({ kind, id }: ResourceRef, until: number): void {
    this.#endResource.run(until, kind, id);
  }

  /** Answers how many versions went. */
  forgetBefore(version: number): number {
    this.#forgetResources.run(version);
    return Number(this.#forgetRevisions.run(version).changes);
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

function toResource({ kind, id, spec }: Record<string, unknown>): Resource {
  return freezeResource({
    kind: String(kind),
    id: String(id),
    spec: JSON.parse(String(spec)) as JsonObject,
  });
}
