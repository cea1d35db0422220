import { closeSync, openSync, renameSync } from "node:fs";
import { DatabaseSync } from "node:sqlite";
import { composeDeltas, type Delta } from "../config/delta.ts";
import type { Resource } from "../config/resource.ts";
import { changeSnapshot, createSnapshot, type Snapshot } from "../config/snapshot.ts";
import type { SecretSeal } from "./cache-seal.ts";
import { decodeDelta, decodeSnapshot, encodeDelta, encodeSnapshot } from "./configuration-encoding.ts";
import { checksumOf, type GenerationName } from "./generation-checksum.ts";
import { ENCODING, prepareGenerations, UnknownFormat } from "./generation-schema.ts";
import { LIMITS } from "./limits.ts";
import type { Stamp } from "./messages.ts";

/** A configuration that ran here, and how it fared. */
export interface Generation {
  /** Counts what was saved; higher is newer. */
  readonly number: number;
  readonly epoch: string;
  readonly version: number;
  /** State hash. */
  readonly hash: bigint;
  /** Times in a row that the process went live with it and did not live on. */
  readonly failures: number;
  /** When the last of them began, in milliseconds since 1970. */
  readonly lastTriedMs: number;
  /** A process has lived with this state for a minute, at some time. */
  readonly isProven: boolean;
}

/** How a configuration came to be of the one before it. */
export interface Step {
  /** State hash of the one before. */
  readonly from: bigint;
  readonly delta: Delta;
}

/** The newest ones that a node may start with, besides the newest that proved itself and the states that others build on. */
const KEPT_GENERATIONS = 3;
/** Changes that are kept one after another before the whole state is written again. */
const MAX_STEPS = 1_000;
/** Nor may they be longer together than half of that state, but for small states. */
const MIN_STEP_BYTES = 65_536;
const SQLITE_CORRUPT = 11;
/** Besides SQLITE_CORRUPT: what SQLite says of a file whose tables are not those that we made. */
const SIGNS_OF_DAMAGE: readonly number[] = [
  SQLITE_CORRUPT,
  /* ERROR */ 1,
  /* CONSTRAINT */ 19,
  /* MISMATCH */ 20,
  /* NOTADB */ 26,
];
const COLUMNS = "number, root, epoch, version, hash, content, checksum";

/**
 * The last generations of a node, in one SQLite file that only its owner can read. A change costs what it is long: it is written
 * as a step from the generation before, and now and then as a whole. Every method may throw what SQLite says.
 */
export class GenerationStore {
  readonly #database: DatabaseSync;
  readonly #seal: SecretSeal | undefined;
  /** What this process went live with last, until it has lived with that for a minute. */
  #onTrial: number | undefined;

  private constructor(database: DatabaseSync, seal: SecretSeal | undefined) {
    this.#database = database;
    this.#seal = seal;
  }

  /**
   * Opens the file for reading and writing, or, where it is there and cannot be written, for reading.
   * @param seal of the secrets in it; without, they are written as they are
   */
  static open(path: string, seal?: SecretSeal): GenerationStore {
    try {
      closeSync(openSync(path, "a", 0o600));
    } catch {
      return new GenerationStore(new DatabaseSync(path, { readOnly: true }), seal);
    }
    const database = new DatabaseSync(path);
    try {
      const { quick_check: verdict } = database.prepare("PRAGMA quick_check(1)").get() as { quick_check: string };
      if (verdict !== "ok") throw Object.assign(new Error(verdict), { errcode: SQLITE_CORRUPT });
      prepareGenerations(database, seal);
      return new GenerationStore(database, seal);
    } catch (error) {
      database.close();
      throw error;
    }
  }

  /** A damaged file is kept beside, for whoever wants to look at it, and a new one begun. */
  static rebuild(path: string, seal?: SecretSeal): GenerationStore {
    renameSync(path, `${path}.damaged`);
    return GenerationStore.open(path, seal);
  }

  /** Those that a node may start with, newest first. */
  generations(): Generation[] {
    const rows = this.#database
      .prepare(`SELECT number, epoch, version, hash, failed_starts, last_start_ms,
                       hash IN (SELECT hash FROM generation WHERE is_proven = 1) AS is_proven FROM generation
                WHERE number IN (${KEPT}) OR number = root ORDER BY number DESC`)
      .all() as unknown as GenerationRow[];
    return rows.map(({ number, epoch, version, hash, ...fared }) => ({
      ...{ number, epoch, version, hash: BigInt(hash) },
      ...{ failures: fared.failed_starts, lastTriedMs: fared.last_start_ms, isProven: fared.is_proven === 1 },
    }));
  }

  /** @throws Error when what was kept is not what was saved */
  read(number: number): Snapshot {
    const rows = this.#database
      .prepare(`SELECT ${COLUMNS} FROM generation
                WHERE root = (SELECT root FROM generation WHERE number = ?1) AND number <= ?1 ORDER BY number`)
      .all(number) as unknown as GenerationRow[];
    const [whole, ...steps] = rows;
    for (const row of rows) verify(row);
    if (whole === undefined || whole.number !== whole.root) throw new Error("what it builds on is gone");
    const { epoch, version } = rows.at(-1)!;
    const resources = decodeSnapshot(whole.content, ENCODING, LIMITS.decodedBytes);
    const start = createSnapshot({ epoch, version, resources: this.#reveal(resources) });
    const deltas = steps.map(({ content }) => {
      const { upserts, removals } = decodeDelta(content, ENCODING, LIMITS.decodedBytes);
      return { upserts: this.#reveal(upserts), removals };
    });
    const snapshot = deltas.length === 0 ? start : changeSnapshot(start, version, composeDeltas(deltas)).snapshot;
    if (String(snapshot.hash) !== rows.at(-1)!.hash) throw new Error("its state hash is not the one it was kept with");
    return snapshot;
  }

  /** Keeps what is about to go live, which is on trial from now on: counted as a failure until it has proved to be none. */
  save(snapshot: Snapshot, nowMs: number, step?: Step): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      // The process lived with the one before until this one came: should it end now, that is this one's doing.
      if (this.#onTrial !== undefined) this.#setFailures(this.#onTrial, "0");
      const newest = this.#newest();
      const isKept = newest !== undefined && isSame(newest, snapshot);
      const content = step && this.#stepOn(newest, snapshot, step);
      const number = isKept ? newest.number : this.#insert(snapshot, nowMs, content);
      this.#count(number, nowMs);
      this.#database.exec(
        `DELETE FROM generation WHERE root NOT IN (SELECT root FROM generation WHERE number IN (${KEPT}))`,
      );
      this.#database.exec("COMMIT");
      this.#onTrial = number;
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  /** The process is about to go live with a generation that is kept. */
  begin(number: number, nowMs: number): void {
    this.#count(number, nowMs);
    this.#onTrial = number;
  }

  /** What is on trial was stopped before it could show anything: as if it had not been tried. */
  withdraw(): void {
    if (this.#onTrial === undefined) return;
    this.#setFailures(this.#onTrial, "max(0, failed_starts - 1)");
    this.#onTrial = undefined;
  }

  /** A process has lived with it for long enough. */
  markSurvived({ epoch, version }: Pick<Stamp, "epoch" | "version">): void {
    const row = this.#database
      .prepare("UPDATE generation SET is_proven = 1 WHERE epoch = ? AND version = ? RETURNING number")
      .get(epoch, version) as Pick<GenerationRow, "number"> | undefined;
    if (row !== undefined) this.#setFailures(row.number, "0");
    this.#onTrial = undefined;
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  #count(number: number, nowMs: number): void {
    this.#setFailures(number, "failed_starts + 1, last_start_ms = ?2", nowMs);
  }

  /** The same state under another name is as good or bad. */
  #setFailures(number: number, value: string, ...more: number[]): void {
    this.#database
      .prepare(
        `UPDATE generation SET failed_starts = ${value} WHERE hash = (SELECT hash FROM generation WHERE number = ?1)`,
      )
      .run(number, ...more);
  }

  #hide(resources: readonly Resource[]): readonly Resource[] {
    return this.#seal?.hide(resources) ?? resources;
  }

  #reveal(resources: readonly Resource[]): readonly Resource[] {
    return this.#seal?.reveal(resources) ?? resources;
  }

  #newest(): GenerationRow | undefined {
    const row = this.#database.prepare(`SELECT ${COLUMNS} FROM generation ORDER BY number DESC LIMIT 1`).get();
    return row as unknown as GenerationRow | undefined;
  }

  /** What to write where the step leads on from the newest generation and there is room for it; undefined for the whole state. */
  #stepOn(newest: GenerationRow | undefined, { epoch }: Snapshot, { from, delta }: Step): StepContent | undefined {
    if (newest === undefined || newest.epoch !== epoch || newest.hash !== String(from)) return undefined;
    const content = encodeDelta({ ...delta, upserts: this.#hide(delta.upserts) }, ENCODING);
    const { steps, bytes, whole } = this.#database
      .prepare(`SELECT count(*) AS steps, sum(length(content)) AS bytes, max(CASE number WHEN root THEN length(content) END) AS whole
                FROM generation WHERE root = ?`)
      .get(newest.root) as { steps: number; bytes: number; whole: number };
    const hasRoom = bytes - whole + content.length <= Math.max(MIN_STEP_BYTES, whole / 2);
    return steps <= MAX_STEPS && hasRoom ? { root: newest.root, content } : undefined;
  }

  /** @returns its number */
  #insert({ epoch, version, hash, resources }: Snapshot, nowMs: number, step: StepContent | undefined): number {
    // The newest is always kept, so its number is the highest that there ever was.
    const { next } = this.#database.prepare("SELECT coalesce(max(number), 0) + 1 AS next FROM generation").get() as {
      next: number;
    };
    const { root, content } = step ?? { root: next, content: encodeSnapshot(this.#hide(resources), ENCODING) };
    const name: GenerationName = { root, epoch, version, hash: String(hash) };
    this.#database
      .prepare(`INSERT INTO generation (${COLUMNS}, last_start_ms, failed_starts)
                VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, (SELECT coalesce(max(failed_starts), 0) FROM generation WHERE hash = ?5))`)
      .run(next, root, epoch, version, name.hash, content, checksumOf(name, content), nowMs);
    return next;
  }
}

/** Numbers of the newest generations and of the newest that proved itself. */
const KEPT = `SELECT number FROM (SELECT number FROM generation ORDER BY number DESC LIMIT ${KEPT_GENERATIONS})
              UNION SELECT max(number) FROM generation WHERE is_proven = 1`;

/** Whether an error says that the file is no sound database of ours, and not that it cannot be reached. */
export function isDamage(error: unknown): boolean {
  if (error instanceof UnknownFormat) return true;
  const { errcode = 0 } = error as { errcode?: number };
  return SIGNS_OF_DAMAGE.includes(errcode & 0xff);
}

interface StepContent {
  readonly root: number;
  readonly content: Uint8Array;
}

interface GenerationRow extends GenerationName {
  readonly number: number;
  readonly content: Uint8Array;
  readonly checksum: string;
  readonly failed_starts: number;
  readonly last_start_ms: number;
  readonly is_proven: number;
}

function verify(row: GenerationRow): void {
  if (checksumOf(row, row.content) !== row.checksum) throw new Error("it is not what was saved");
}

function isSame(row: GenerationRow, { epoch, version, hash }: Stamp): boolean {
  return row.epoch === epoch && row.version === version && row.hash === String(hash);
}
