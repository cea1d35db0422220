import type { DatabaseSync } from "node:sqlite";
import { checksumOf } from "./generation-checksum.ts";

/** A rollback journal and not a write-ahead log: it leaves one file, which can also be read from a read-only disk. */
const PRAGMAS = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;";

/**
 * Each row is a generation. `content` is the whole state where `root` is the row's own number, and else what changed since the row
 * before it, so that rows of one root, in the order of their numbers, lead from one state to the next.
 */
const TABLE = `
  CREATE TABLE generation (
    number INTEGER PRIMARY KEY,
    root INTEGER NOT NULL,
    epoch TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    content BLOB NOT NULL,
    checksum TEXT NOT NULL,
    failed_starts INTEGER NOT NULL DEFAULT 0,
    is_proven INTEGER NOT NULL DEFAULT 0
  ) STRICT`;
const FORMAT = 2;

/** Makes the table where there is none, and brings that of an older program into today's form, whole or not at all. */
export function prepareGenerations(database: DatabaseSync): void {
  database.exec(PRAGMAS);
  const { user_version: format } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (format > FORMAT) throw new UnknownFormat(`it has format ${format}, and this program knows ${FORMAT}`);
  if (format === FORMAT) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    if (hasTable(database)) migrateFirstFormat(database);
    else database.exec(TABLE);
    database.exec(`PRAGMA user_version = ${FORMAT}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

/** Written by a newer program, or not at all as it stands there. */
export class UnknownFormat extends Error {}

function hasTable(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'generation'").get() !== undefined;
}

/** In the first format every row held a whole state, and had no checksum. */
function migrateFirstFormat(database: DatabaseSync): void {
  database.exec("ALTER TABLE generation RENAME TO first_format");
  database.exec(TABLE);
  const insert = database.prepare(
    "INSERT INTO generation (number, root, epoch, version, hash, content, checksum, failed_starts) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
  );
  for (const row of database.prepare("SELECT * FROM first_format ORDER BY number").all()) {
    const { number, epoch, version, hash, resources, failed_starts } = row as unknown as FirstFormatRow;
    const checksum = checksumOf({ root: number, epoch, version, hash }, resources);
    insert.run(number, number, epoch, version, hash, resources, checksum, failed_starts);
  }
  database.exec("DROP TABLE first_format");
}

interface FirstFormatRow {
  readonly number: number;
  readonly epoch: string;
  readonly version: number;
  readonly hash: string;
  readonly resources: Uint8Array;
  readonly failed_starts: number;
}
