import type { DatabaseSync } from "node:sqlite";
import type { SecretSeal } from "./cache-seal.ts";
import { decodeDelta, decodeSnapshot, encodeDelta, encodeSnapshot } from "./configuration-encoding.ts";
import { checksumOf, type GenerationName } from "./generation-checksum.ts";
import { LIMITS } from "./limits.ts";

/** Of what a row holds. */
export const ENCODING = "json+zstd";

/** A rollback journal and not a write-ahead log: it leaves one file, which can also be read from a read-only disk. */
const PRAGMAS = "PRAGMA journal_mode = DELETE; PRAGMA synchronous = FULL;";

const LAST_START = "last_start_ms";
const LAST_START_COLUMN = `${LAST_START} INTEGER NOT NULL DEFAULT 0`;
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
    is_proven INTEGER NOT NULL DEFAULT 0,
    ${LAST_START_COLUMN}
  ) STRICT`;
const CLEAR_FORMAT = 2;
/** In which no secret is in clear. */
const SEALED_FORMAT = 3;

/**
 * Makes the table where there is none, and brings that of an older program into today's form, whole or not at all.
 * @param seal of the secrets in it; without, they stay as they are
 */
export function prepareGenerations(database: DatabaseSync, seal?: SecretSeal): void {
  database.exec(PRAGMAS);
  const { user_version: format } = database.prepare("PRAGMA user_version").get() as { user_version: number };
  if (format > SEALED_FORMAT)
    throw new UnknownFormat(`it has format ${format}, and this program knows ${SEALED_FORMAT}`);
  const isNew = !hasTable(database);
  // Programs that do not know the column need not: it is no other format.
  if (!isNew && !hasColumn(database, LAST_START))
    database.exec(`ALTER TABLE generation ADD COLUMN ${LAST_START_COLUMN}`);
  const wanted = seal === undefined ? CLEAR_FORMAT : SEALED_FORMAT;
  if (format >= wanted) return;
  database.exec("BEGIN IMMEDIATE");
  try {
    if (isNew) database.exec(TABLE);
    else if (format < CLEAR_FORMAT) migrateFirstFormat(database);
    if (seal !== undefined) sealGenerations(database, seal);
    database.exec(`PRAGMA user_version = ${wanted}; COMMIT`);
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
  // What was in clear is not left behind in pages that are free now.
  if (!isNew) database.exec("VACUUM");
}

/** Written by a newer program, or not at all as it stands there. */
export class UnknownFormat extends Error {}

function hasTable(database: DatabaseSync): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'generation'").get() !== undefined;
}

function hasColumn(database: DatabaseSync, name: string): boolean {
  return database.prepare("SELECT 1 FROM pragma_table_info('generation') WHERE name = ?").get(name) !== undefined;
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

/** What cannot be read any more goes: nobody could start with it. */
function sealGenerations(database: DatabaseSync, seal: SecretSeal): void {
  const update = database.prepare("UPDATE generation SET content = ?, checksum = ? WHERE number = ?");
  const remove = database.prepare("DELETE FROM generation WHERE number = ?");
  for (const row of database.prepare("SELECT number, root, epoch, version, hash, content FROM generation").all()) {
    const generation = row as unknown as GenerationName & { readonly number: number; readonly content: Uint8Array };
    const content = sealed(generation.content, generation.number === generation.root, seal);
    if (content === undefined) remove.run(generation.number);
    else update.run(content, checksumOf(generation, content), generation.number);
  }
}

function sealed(content: Uint8Array, isWhole: boolean, seal: SecretSeal): Uint8Array | undefined {
  try {
    if (isWhole) return encodeSnapshot(seal.hide(decodeSnapshot(content, ENCODING, LIMITS.decodedBytes)), ENCODING);
    const { upserts, removals } = decodeDelta(content, ENCODING, LIMITS.decodedBytes);
    return encodeDelta({ upserts: seal.hide(upserts), removals }, ENCODING);
  } catch {
    return undefined;
  }
}

interface FirstFormatRow {
  readonly number: number;
  readonly epoch: string;
  readonly version: number;
  readonly hash: string;
  readonly resources: Uint8Array;
  readonly failed_starts: number;
}
