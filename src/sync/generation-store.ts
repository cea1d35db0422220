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
  /** Starts of the process with it that were not survived. */
  readonly failedStarts: number;
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
  /** What this process was started with, until another configuration took its place. */
  #startedWith: number | undefined;

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
      .prepare(`SELECT number, epoch, version, failed_starts FROM generation
                WHERE number IN (${KEPT}) OR number = root ORDER BY number DESC`)
      .all();
    return rows.map((row) => {
      const { number, epoch, version, failed_starts: failedStarts } = row as unknown as GenerationRow;
      return { number, epoch, version, failedStarts };
    });
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

  save(snapshot: Snapshot, step?: Step): void {
    this.#database.exec("BEGIN IMMEDIATE");
    try {
      this.#acquitStart();
      const newest = this.#newest();
      if (newest !== undefined && isSame(newest, snapshot)) this.markSurvived(snapshot, 0);
      else this.#insert(snapshot, step === undefined ? undefined : this.#stepOn(newest, snapshot, step));
      this.#database.exec(
        `DELETE FROM generation WHERE root NOT IN (SELECT root FROM generation WHERE number IN (${KEPT}))`,
      );
      this.#database.exec("COMMIT");
    } catch (error) {
      if (this.#database.isTransaction) this.#database.exec("ROLLBACK");
      throw error;
    }
  }

  countStart(number: number): void {
    this.#startedWith = number;
    this.#database.prepare("UPDATE generation SET failed_starts = failed_starts + 1 WHERE number = ?").run(number);
  }

  /** @param isProven whether it has shown that a process lives with it */
  markSurvived({ epoch, version }: Pick<Stamp, "epoch" | "version">, isProven: 0 | 1 = 1): void {
    this.#database
      .prepare("UPDATE generation SET failed_starts = 0, is_proven = max(is_proven, ?) WHERE epoch = ? AND version = ?")
      .run(isProven, epoch, version);
  }

  close(): void {
    if (this.#database.isOpen) this.#database.close();
  }

  /** The process lived with it until another came: should it end now, that is the other's doing. */
  #acquitStart(): void {
    if (this.#startedWith === undefined) return;
    this.#database.prepare("UPDATE generation SET failed_starts = 0 WHERE number = ?").run(this.#startedWith);
    this.#startedWith = undefined;
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

  #insert({ epoch, version, hash, resources }: Snapshot, step: StepContent | undefined): void {
    // The newest is always kept, so its number is the highest that there ever was.
    const { next } = this.#database.prepare("SELECT coalesce(max(number), 0) + 1 AS next FROM generation").get() as {
      next: number;
    };
    const { root, content } = step ?? { root: next, content: encodeSnapshot(this.#hide(resources), ENCODING) };
    const name: GenerationName = { root, epoch, version, hash: String(hash) };
    this.#database
      .prepare(`INSERT INTO generation (${COLUMNS}) VALUES (?, ?, ?, ?, ?, ?, ?)`)
      .run(next, root, epoch, version, name.hash, content, checksumOf(name, content));
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
}

function verify(row: GenerationRow): void {
  if (checksumOf(row, row.content) !== row.checksum) throw new Error("it is not what was saved");
}

function isSame(row: GenerationRow, { epoch, version, hash }: Stamp): boolean {
  return row.epoch === epoch && row.version === version && row.hash === String(hash);
}
