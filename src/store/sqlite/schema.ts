import type { Schema } from "./database.ts";

/** The tables of a control plane's store. What a resource's row means is said in revision-tables.ts. */
export const STORE_SCHEMA: Schema = {
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
    // A resource may now outlive the version that made it, and what differs between two versions has indexes.
    `CREATE TABLE lasting_resource (
       kind TEXT NOT NULL,
       id TEXT NOT NULL,
       since INTEGER NOT NULL,
       until INTEGER,
       spec TEXT NOT NULL,
       PRIMARY KEY (kind, id, since)
     ) STRICT;
     INSERT INTO lasting_resource SELECT kind, id, since, until, spec FROM resource;
     DROP TABLE resource;
     ALTER TABLE lasting_resource RENAME TO resource;
     CREATE UNIQUE INDEX current_resource ON resource (kind, id) WHERE until IS NULL;
     CREATE INDEX resource_since ON resource (since);
     CREATE INDEX resource_until ON resource (until) WHERE until IS NOT NULL;
     CREATE INDEX revision_committed_at ON revision (committed_at);
     CREATE TABLE audit (
       number INTEGER PRIMARY KEY CHECK (number > 0),
       at INTEGER NOT NULL,
       author TEXT NOT NULL,
       action TEXT NOT NULL,
       detail TEXT NOT NULL,
       previous TEXT NOT NULL,
       hash TEXT NOT NULL
     ) STRICT;`,
    `CREATE TABLE token (
       id TEXT PRIMARY KEY,
       name TEXT NOT NULL,
       role TEXT NOT NULL,
       secret_hash TEXT NOT NULL UNIQUE,
       created_at INTEGER NOT NULL,
       created_by TEXT NOT NULL,
       expires_at INTEGER,
       revoked_at INTEGER
     ) STRICT;`,
    `CREATE TABLE revocation (
       kind TEXT NOT NULL,
       value TEXT NOT NULL,
       reason TEXT NOT NULL,
       revoked_at INTEGER NOT NULL,
       revoked_by TEXT NOT NULL,
       expires_at INTEGER,
       PRIMARY KEY (kind, value)
     ) STRICT;`,
    `CREATE TABLE join_token (
       id TEXT PRIMARY KEY,
       secret_hash TEXT NOT NULL UNIQUE,
       node_id TEXT,
       created_at INTEGER NOT NULL,
       created_by TEXT NOT NULL,
       expires_at INTEGER NOT NULL,
       used_by TEXT,
       used_key TEXT,
       used_at INTEGER
     ) STRICT;
     CREATE INDEX join_token_user ON join_token (used_by);`,
  ],
};
