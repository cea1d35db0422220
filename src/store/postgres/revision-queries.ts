import type { ClientBase } from "pg";
import { type AuditEntry, type AuditRecord, nextAuditEntry } from "../../config/audit-log.ts";
import type { JsonObject } from "../../config/json.ts";
import { inCanonicalOrder, type Resource, type ResourceRef } from "../../config/resource.ts";
import type { RevisionSource, RevisionSummary } from "../../config/revision-log.ts";
import { freezeResource } from "../../config/snapshot.ts";
import { formatHash } from "../../config/state-hash.ts";
import { storedText } from "../stored-text.ts";
import { CHANNEL } from "./announcements.ts";

/** The one row that every writer locks. */
export interface HeadRow {
  readonly epoch: string;
  readonly version: number;
  readonly fileHash: bigint | undefined;
  readonly lastAudit: Pick<AuditEntry, "number" | "hash"> | undefined;
}

/** So many rows go into one statement. */
const BATCH = 5_000;

export async function readHead(client: ClientBase, lock: "" | "FOR UPDATE" = ""): Promise<HeadRow> {
  const { rows } = await client.query(
    `SELECT epoch, version, file_hash, audit_number, audit_hash FROM runway.head ${lock}`,
  );
  const [row] = rows;
  const number = Number(row.audit_number);
  return {
    epoch: row.epoch,
    version: Number(row.version),
    fileHash: row.file_hash === null ? undefined : BigInt(`0x${row.file_hash}`),
    lastAudit: number === 0 ? undefined : { number, hash: row.audit_hash },
  };
}

/** With the head locked. Answers the entry, which the head then has as its last. */
export async function appendAudit(
  client: ClientBase,
  head: HeadRow,
  { author, action, detail }: AuditRecord,
  now: number,
): Promise<AuditEntry> {
  const entry = nextAuditEntry(head.lastAudit, { author: storedText(author), action, detail }, now);
  await client.query(
    `WITH moved AS (UPDATE runway.head SET audit_number = $1, audit_hash = $7)
     INSERT INTO runway.audit VALUES ($1, $2, $3, $4, $5, $6, $7)`,
    [entry.number, entry.at, entry.author, action, JSON.stringify(detail), entry.previous, entry.hash],
  );
  return entry;
}

export async function readAudit(client: ClientBase, after: number, limit: number): Promise<AuditEntry[]> {
  const { rows } = await client.query("SELECT * FROM runway.audit WHERE number > $1 ORDER BY number LIMIT $2", [
    after,
    limit,
  ]);
  return rows.map(({ number, at, author, action, detail, previous, hash }) => ({
    ...{ number: Number(number), at: Number(at), author, action },
    detail: JSON.parse(detail) as JsonObject,
    ...{ previous, hash },
  }));
}

export async function readSummary(
  client: ClientBase,
  epoch: string,
  version: number,
): Promise<RevisionSummary | undefined> {
  const { rows } = await client.query("SELECT * FROM runway.revision WHERE version = $1", [version]);
  return rows[0] && toSummary(epoch, rows[0]);
}

export async function readSummaries(
  client: ClientBase,
  epoch: string,
  before: number,
  limit: number,
): Promise<RevisionSummary[]> {
  const { rows } = await client.query(
    "SELECT * FROM runway.revision WHERE version < $1 ORDER BY version DESC LIMIT $2",
    [before, limit],
  );
  return rows.map((row) => toSummary(epoch, row));
}

export async function readState(client: ClientBase, version: number): Promise<Resource[]> {
  const { rows } = await client.query(
    "SELECT kind, id, spec FROM runway.resource WHERE since <= $1 AND (until IS NULL OR until > $1)",
    [version],
  );
  return inCanonicalOrder(rows.map(toResource));
}

/** Of two versions, the lower first: what the lower has and the higher no longer has, and the other way round. */
export async function readBetween(client: ClientBase, from: number, to: number) {
  const ended = await client.query(
    "SELECT kind, id, spec FROM runway.resource WHERE until > $1 AND until <= $2 AND since <= $1",
    [from, to],
  );
  const begun = await client.query(
    "SELECT kind, id, spec FROM runway.resource WHERE since > $1 AND since <= $2 AND (until IS NULL OR until > $2)",
    [from, to],
  );
  return { ended: ended.rows.map(toResource), begun: begun.rows.map(toResource) };
}

/** Of the versions that are kept, the oldest and the oldest that was committed at `since` or later. */
export async function readOldest(client: ClientBase, since = Number.MAX_SAFE_INTEGER) {
  const { rows } = await client.query(
    `SELECT (SELECT min(version) FROM runway.revision) AS oldest,
            (SELECT min(version) FROM runway.revision WHERE committed_at >= $1) AS young`,
    [since],
  );
  const { oldest, young } = rows[0];
  return { oldest: Number(oldest ?? 0), young: young === null ? undefined : Number(young) };
}

/** With the head locked: writes a version, moves the head to it and tells whoever listens once it is committed. */
export async function addRevision(
  client: ClientBase,
  { version, hash, author, source, message, committedAt }: RevisionSummary,
): Promise<void> {
  await client.query(
    `WITH moved AS (UPDATE runway.head SET version = $1),
          told AS (SELECT pg_notify('${CHANNEL}', $1::text)),
          added AS (INSERT INTO runway.revision VALUES ($1::bigint, $2, $3, $4, $5, $6))
     SELECT count(*) FROM told`,
    [version, formatHash(hash), author, source, message, committedAt],
  );
}

export async function setFileHash(client: ClientBase, hash: bigint): Promise<void> {
  await client.query("UPDATE runway.head SET file_hash = $1", [formatHash(hash)]);
}

export async function endResources(client: ClientBase, refs: readonly ResourceRef[], until: number): Promise<void> {
  for (const batch of batches(refs))
    await client.query(
      `UPDATE runway.resource SET until = $1 FROM unnest($2::text[], $3::text[]) AS gone (kind, id)
       WHERE resource.kind = gone.kind AND resource.id = gone.id AND until IS NULL`,
      [until, batch.map(({ kind }) => kind), batch.map(({ id }) => id)],
    );
}

export async function addResources(client: ClientBase, resources: readonly Resource[], since: number): Promise<void> {
  for (const batch of batches(resources))
    await client.query(
      `INSERT INTO runway.resource SELECT kind, id, $1, NULL, spec
       FROM unnest($2::text[], $3::text[], $4::text[]) AS fresh (kind, id, spec)`,
      [since, batch.map(({ kind }) => kind), batch.map(({ id }) => id), batch.map(({ spec }) => JSON.stringify(spec))],
    );
}

/** With the head locked. Answers how many versions went. */
export async function forgetBefore(client: ClientBase, version: number): Promise<number> {
  await client.query("DELETE FROM runway.resource WHERE until <= $1", [version]);
  const { rowCount } = await client.query("DELETE FROM runway.revision WHERE version < $1", [version]);
  return rowCount ?? 0;
}

function* batches<T>(items: readonly T[]): Generator<readonly T[]> {
  for (let start = 0; start < items.length; start += BATCH) yield items.slice(start, start + BATCH);
}

function toSummary(epoch: string, row: Record<string, string>): RevisionSummary {
  return {
    epoch,
    version: Number(row.version),
    hash: BigInt(`0x${row.hash}`),
    author: row.author!,
    source: row.source as RevisionSource,
    message: row.message!,
    committedAt: Number(row.committed_at),
  };
}

function toResource({ kind, id, spec }: Record<"kind" | "id" | "spec", string>): Resource {
  return freezeResource({ kind, id, spec: JSON.parse(spec) as JsonObject });
}
