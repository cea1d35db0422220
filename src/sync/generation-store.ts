import { closeSync, openSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import type { Snapshot } from "../config/snapshot.ts";
import { createSnapshot } from "../config/snapshot.ts";
import { decodeSnapshot, encodeSnapshot } from "./configuration-encoding.ts";
import { LIMITS } from "./limits.ts";
import type { Stamp } from "./messages.ts";

/** A configuration that ran here, and how it fared. */
export interface Generation {
  /** Counts what was saved; higher is newer. */
  readonly number: number;
  /** Starts of the process with it that were not survived. */
  readonly failedStarts: number;
  readonly snapshot: Snapshot;
}

export interface UnreadableGeneration {
  readonly number: number;
  readonly problem: string;
}

const KEPT_GENERATIONS = 3;
/** A rollback journal and not a write-ahead log: it leaves one file, which can also be read from a read-only disk. */
const SCHEMA = `
  PRAGMA journal_mode = DELETE;
  PRAGMA synchronous = FULL;
  CREATE TABLE IF NOT EXISTS generation (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    epoch TEXT NOT NULL,
    version INTEGER NOT NULL,
    hash TEXT NOT NULL,
    resources BLOB NOT NULL,
    failed_starts INTEGER NOT NULL DEFAULT 0
  ) STRICT`;
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
const ENCODING = "json+zstd";

/** The last generations of a node, in one SQLite file that only its owner can read. Every method may throw what SQLite says. */
export class GenerationStore {
  readonly #database: DatabaseSync;

  private constructor(database: DatabaseSync) {
    this.#database = database;
  }

  /** Opens the file for reading and writing, or, where it is there and cannot be written, for reading. */
  static open(path: string): GenerationStore {
    try {
      closeSync(openSync(path, "a", 0o600));
    } catch {
      return new GenerationStore(new DatabaseSync(path, { readOnly: true }));
    }
    const database = new DatabaseSync(path);
    try {
      database.exec(SCHEMA);
      const { quick_check: verdict } = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
      if (verdict !== "ok") throw Object.assign(new Error(verdict), { errcode: SQLITE_CORRUPT });
      return new GenerationStore(database);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** A damaged file is kept beside, for whoever wants to look at it, and a new one begun. */
  static rebuild(path: string): GenerationStore {
    renameSync(path, `${path}.damaged`);
    return GenerationStore.open(path);
  }

  /** Newest first. */
  generations(): (Generation | UnreadableGeneration)[] {
    const rows = this.#database
      .prepare("SELECT number, epoch, version, hash, resources, failed_starts FROM generation ORDER BY number DESC")
      .all();
    return rows.map((row) => readGeneration(row as unknown as GenerationRow));
  }

  save({ epoch, version, hash, resources }: Snapshot): void {
    const bytes = encodeSnapshot(resources, ENCODING);
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.#database.prepare("DELETE FROM generation WHERE epoch = ? AND version = ?").run(epoch, version);
      this.#database
        .prepare("INSERT INTO generation (epoch, version, hash, resources) VALUES (?, ?, ?, ?)")
        .run(epoch, version, String(hash), bytes);
      this.#database
        .prepare(
          "DELETE FROM generation WHERE number NOT IN (SELECT number FROM generation ORDER BY number DESC LIMIT ?)",
        )
        .run(KEPT_GENERATIONS);
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  countStart(number: number): void {
    this.#database.prepare("UPDATE generation SET failed_starts = failed_starts + 1 WHERE number = ?").run(number);
  }

  markSurvived({ epoch, version }: Pick<Stamp, "epoch" | "version">): void {
    this.#database
      .prepare("UPDATE generation SET failed_starts = 0 WHERE epoch = ? AND version = ? AND failed_starts > 0")
      .run(epoch, version);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }
}

/** Whether an error says that the file is no sound database, and not that it cannot be reached. */
export function isDamage(error: unknown): boolean {
  const { errcode } = error as { errcode?: number };
  return errcode === SQLITE_CORRUPT || errcode === SQLITE_NOTADB;
}

interface GenerationRow {
  readonly number: number;
  readonly epoch: string;
  readonly version: number;
  readonly hash: string;
  readonly resources: Uint8Array;
  readonly failed_starts: number;
}

function readGeneration(row: GenerationRow): Generation | UnreadableGeneration {
  const { number, epoch, version, hash, failed_starts: failedStarts } = row;
  try {
    const resources = decodeSnapshot(row.resources, ENCODING, LIMITS.decodedBytes);
    const snapshot = createSnapshot({ epoch, version, resources });
    if (String(snapshot.hash) !== hash) throw new Error("its state hash is not the one it was kept with");
    return { number, failedStarts, snapshot };
  } catch (error) {
    return { number, problem: `the kept version ${version} cannot be used: ${(error as Error).message}` };
  }
}
