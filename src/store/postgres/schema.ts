import type { ClientBase } from "pg";
import { RunwayError } from "../../core/failure.ts";

/** Each takes the database one version further. They are never changed once released, only added to. */
const MIGRATIONS: readonly string[] = [
  // `head` has one row. Whoever writes locks it first, so that versions and audit numbers are in the order of commits and
  // have no gaps; a sequence would give neither. What `since` and `until` mean is as in SQLite (revision-tables.ts).
  `CREATE TABLE runway.head (
     only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row),
     epoch text NOT NULL,
     version bigint NOT NULL DEFAULT 0,
     file_hash text,
     audit_number bigint NOT NULL DEFAULT 0,
     audit_hash text NOT NULL DEFAULT ''
   );
   CREATE TABLE runway.revision (
     version bigint PRIMARY KEY CHECK (version > 0),
     hash text NOT NULL,
     author text NOT NULL,
     source text NOT NULL,
     message text NOT NULL,
     committed_at bigint NOT NULL
   );
   CREATE INDEX revision_committed_at ON runway.revision (committed_at);
   CREATE TABLE runway.resource (
     kind text NOT NULL,
     id text NOT NULL,
     since bigint NOT NULL,
     until bigint,
     spec text NOT NULL,
     PRIMARY KEY (kind, id, since)
   );
   CREATE UNIQUE INDEX current_resource ON runway.resource (kind, id) WHERE until IS NULL;
   CREATE INDEX resource_since ON runway.resource (since);
   CREATE INDEX resource_until ON runway.resource (until) WHERE until IS NOT NULL;
   CREATE TABLE runway.audit (
     number bigint PRIMARY KEY CHECK (number > 0),
     at bigint NOT NULL,
     author text NOT NULL,
     action text NOT NULL,
     detail text NOT NULL,
     previous text NOT NULL,
     hash text NOT NULL
   );
   CREATE TABLE runway.token (
     id text PRIMARY KEY,
     name text NOT NULL,
     role text NOT NULL,
     secret_hash text NOT NULL UNIQUE,
     created_at bigint NOT NULL,
     created_by text NOT NULL,
     expires_at bigint,
     revoked_at bigint
   );`,
  // What control planes tell each other. A NULL says that it is no longer so.
  `CREATE TABLE runway.control_plane (id text PRIMARY KEY, address text NOT NULL, seen_at timestamptz NOT NULL);
   CREATE TABLE runway.node (
     control_plane text REFERENCES runway.control_plane ON DELETE CASCADE,
     key text,
     node text,
     at timestamptz NOT NULL,
     PRIMARY KEY (control_plane, key)
   );
   CREATE INDEX node_at ON runway.node (at);
   CREATE TABLE runway.claim (node_id text PRIMARY KEY, owner text, at timestamptz NOT NULL);
   CREATE INDEX claim_at ON runway.claim (at);`,
  // Calls to nodes of other control planes, see postgres-call-board.ts.
  `CREATE UNLOGGED TABLE runway.call (
     id text PRIMARY KEY,
     caller text NOT NULL,
     callee text NOT NULL,
     question text NOT NULL,
     is_taken boolean NOT NULL DEFAULT false,
     answer text,
     expires_at timestamptz NOT NULL
   );
   CREATE INDEX call_caller ON runway.call (caller);
   CREATE INDEX call_callee ON runway.call (callee);`,
  `CREATE TABLE runway.revocation (
     kind text NOT NULL,
     value text NOT NULL,
     reason text NOT NULL,
     revoked_at bigint NOT NULL,
     revoked_by text NOT NULL,
     expires_at bigint,
     PRIMARY KEY (kind, value)
   );
   ALTER TABLE runway.head ADD COLUMN revocation_mark bigint NOT NULL DEFAULT 0;`,
  `CREATE TABLE runway.join_token (
     id text PRIMARY KEY,
     secret_hash text NOT NULL UNIQUE,
     node_id text,
     created_at bigint NOT NULL,
     created_by text NOT NULL,
     expires_at bigint NOT NULL,
     used_by text,
     used_key text,
     used_at bigint
   );
   CREATE INDEX join_token_user ON runway.join_token (used_by);`,
];

/** Any number that no other program on the database takes for its own advisory lock: "RWRL". */
const MIGRATION_LOCK = 0x52_57_52_4c;
const MIGRATION_LIMIT_MS = 60_000;

/**
 * Brings the database to the newest form. Several control planes may do so at once: one does it, the others wait for the
 * advisory lock and find it done. A migration is whole or not there.
 * @param newEpoch the epoch of a database that has none
 * @returns the epoch
 */
export async function migrate(client: ClientBase, newEpoch: string): Promise<string> {
  await client.query(
    `BEGIN; SET LOCAL lock_timeout = ${MIGRATION_LIMIT_MS}; SET LOCAL statement_timeout = ${MIGRATION_LIMIT_MS}`,
  );
  try {
    await client.query("SELECT pg_advisory_xact_lock($1)", [MIGRATION_LOCK]);
    await runMissing(client);
    await client.query("INSERT INTO runway.head (epoch) VALUES ($1) ON CONFLICT DO NOTHING", [newEpoch]);
    const { rows } = await client.query<{ epoch: string }>("SELECT epoch FROM runway.head");
    await client.query("COMMIT");
    return rows[0]!.epoch;
  } catch (error) {
    await client.query("ROLLBACK").catch(() => {});
    throw error;
  }
}

async function runMissing(client: ClientBase): Promise<void> {
  // Asked first, since making it also takes a right that the control plane's own user need not have.
  const { rows: known } = await client.query("SELECT to_regclass('runway.migration') AS name");
  if (known[0].name === null)
    await client.query("CREATE SCHEMA IF NOT EXISTS runway; CREATE TABLE runway.migration (version int PRIMARY KEY)");
  const { rows } = await client.query("SELECT coalesce(max(version), 0) AS version FROM runway.migration");
  const version = Number(rows[0].version);
  if (version > MIGRATIONS.length)
    throw new RunwayError(
      "storeUnavailable",
      "The database was written by a newer runway; start that one, or restore a backup of this one's.",
    );
  for (const [index, migration] of MIGRATIONS.entries()) {
    if (index < version) continue;
    await client.query(migration);
    await client.query("INSERT INTO runway.migration VALUES ($1)", [index + 1]);
  }
}
