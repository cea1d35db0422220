import { closeSync, fchmodSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { RunwayError } from "../../core/failure.ts";

/** What makes a SQLite file ours and brings it to the newest form. */
export interface Schema {
  /** What the file is called in messages: "revision log". */
  readonly name: string;
  /** SQLite's application_id, so that another program's database is not taken for ours. */
  readonly applicationId: number;
  /** Each takes the database one `user_version` further. They are never changed once released, only added to. */
  readonly migrations: readonly string[];
}

/**
 * Opens a database that survives the loss of power at any moment (write-ahead log, synced at each commit), making it and
 * its directory when they are not there. Directories it makes are 0700, the file is 0600, and SQLite gives the files
 * beside it the same mode.
 * A transaction waits at most `busyTimeoutMs` for another process; the thread stands still meanwhile.
 * @throws RunwayError `storeUnavailable`
 */
export function openDatabase(file: string, schema: Schema, busyTimeoutMs: number): DatabaseSync {
  return guardStore(file, schema.name, () => {
    mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    makePrivate(file);
    const database = new DatabaseSync(file, { timeout: busyTimeoutMs });
    try {
      database.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA trusted_schema = OFF;");
      migrate(database, file, schema);
      return database;
    } catch (error) {
      database.close();
      throw error;
    }
  });
}

/** Runs `action`; what SQLite or the file system throws becomes `storeUnavailable` with advice. */
export function guardStore<T>(file: string, name: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof RunwayError) throw error;
    throw new RunwayError("storeUnavailable", `The ${name} ${file} cannot be used: ${advice(error)}.`, {
      cause: error,
    });
  }
}

/** Runs `action` in one transaction that excludes other writers; "roll back" and exceptions leave nothing behind. */
export function transaction<T>(database: DatabaseSync, action: () => { value: T; outcome: "commit" | "roll back" }): T {
  database.exec("BEGIN IMMEDIATE");
  try {
    const { value, outcome } = action();
    database.exec(outcome === "commit" ? "COMMIT" : "ROLLBACK");
    return value;
  } catch (error) {
    if (database.isTransaction) database.exec("ROLLBACK");
    throw error;
  }
}

function migrate(database: DatabaseSync, file: string, { name, applicationId, migrations }: Schema): void {
  transaction(database, () => {
    const version = pragma(database, "user_version");
    const owner = pragma(database, "application_id");
    const tables = database.prepare("SELECT count(*) AS count FROM sqlite_schema").get()?.count;
    if (owner !== applicationId && tables !== 0) refuse(`${file} is not a ${name}; point to another directory`);
    if (version > migrations.length)
      refuse(`The ${name} ${file} was written by a newer runway; start that one, or restore a backup of this one's`);
    for (const migration of migrations.slice(version)) database.exec(migration);
    database.exec(`PRAGMA application_id = ${applicationId}; PRAGMA user_version = ${migrations.length};`);
    return { value: undefined, outcome: "commit" };
  });
}

function refuse(sentence: string): never {
  throw new RunwayError("storeUnavailable", `${sentence}.`);
}

function pragma(database: DatabaseSync, name: string): number {
  return Number(database.prepare(`PRAGMA ${name}`).get()?.[name]);
}

function makePrivate(file: string): void {
  const descriptor = openSync(file, "a", 0o600);
  try {
    fchmodSync(descriptor, 0o600);
  } finally {
    closeSync(descriptor);
  }
}

/** By the primary result codes of SQLite (https://www.sqlite.org/rescode.html) and the codes of the system. */
const ADVICE: Readonly<Record<string | number, string>> = {
  5: "another process holds it; stop that one or give each its own directory",
  8: "it is read-only; give this user the right to write it",
  10: "reading or writing failed; look at the disk",
  11: "it is damaged; restore a backup, or move it away to begin anew",
  13: "the disk is full; make room",
  14: "it cannot be opened; look at the directory and its rights",
  26: "it is not a database or is damaged; restore a backup, or move it away to begin anew",
  EACCES: "the right is missing; make the directory and its files belong to this user",
  EROFS: "the file system is read-only; point to another directory",
  ENOSPC: "the disk is full; make room",
  ENOTDIR: "a part of its path is not a directory; point to another directory",
  EEXIST: "a part of its path is not a directory; point to another directory",
  EISDIR: "it is a directory; move that away",
};

function advice(error: unknown): string {
  const { errcode, code } = error as { errcode?: number; code?: string };
  const known = errcode === undefined ? ADVICE[code ?? ""] : ADVICE[errcode & 0xff];
  return known ?? `unexpected failure (${errcode ?? code ?? "no code"})`;
}
