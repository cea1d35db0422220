import type { ClientBase } from "pg";
import type { AuditEntry } from "../../config/audit-log.ts";
import { deltaBetween, type EffectiveDelta } from "../../config/delta.ts";
import type {
  CommitRequest,
  CommitResult,
  HistoryPage,
  Retention,
  Revision,
  RevisionLog,
  RevisionSummary,
} from "../../config/revision-log.ts";
import { stateHash } from "../../config/state-hash.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { auditOfCommit, followRevision, type PlannedCommit, planCommit } from "../next-revision.ts";
import { pageSize } from "../page-size.ts";
import { type Database, UncertainCommit } from "./database.ts";
import {
  addResources,
  addRevision,
  appendAudit,
  endResources,
  forgetBefore,
  type HeadRow,
  readAudit,
  readBetween,
  readHead,
  readOldest,
  readState,
  readSummaries,
  readSummary,
  setFileHash,
} from "./revision-queries.ts";

/** A commit, and the entry it has in the audit log, by which it can be told from any other. */
interface WrittenCommit extends PlannedCommit {
  readonly entry: AuditEntry | undefined;
}

/** The revisions of a PostgreSQL store, which other control planes write too. */
export class PostgresRevisionLog implements RevisionLog {
  readonly #database: Database;
  readonly #clock: Clock;
  /** The newest version that is known, so that what others committed is read as a difference. */
  #head: Revision | undefined;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async head(): Promise<Revision | undefined> {
    const { version } = await this.#database.use((client) => readHead(client));
    if (version === (this.#head?.version ?? 0)) return this.#head;
    return this.#database.read(async (client) => this.#refresh(client, await readHead(client)));
  }

  /** What `head` answered last, also while the database is away. */
  get known(): Revision | undefined {
    return this.#head;
  }

  get(version: number): Promise<Revision | undefined> {
    return this.#database.read(async (client) => this.#read(client, (await readHead(client)).epoch, version));
  }

  delta(from: number, to: number): Promise<EffectiveDelta | undefined> {
    return this.#database.read(async (client) => readDelta(client, (await readHead(client)).version, from, to));
  }

  history({ limit, before }: HistoryPage): Promise<RevisionSummary[]> {
    return this.#database.read(async (client) => {
      const { epoch } = await readHead(client);
      return readSummaries(client, epoch, before ?? Number.MAX_SAFE_INTEGER, pageSize(limit));
    });
  }

  async lastFromFile(): Promise<bigint | undefined> {
    return (await this.#database.use((client) => readHead(client))).fileHash;
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    const { revision, changes, delta, from, created } =
      request.dryRun === true
        ? await this.#database.read(async (client) => this.#plan(client, await readHead(client), request))
        : await this.#write(request);
    return { revision, changes, delta, from, created };
  }

  prune({ versions, ageMs, floor }: Retention): Promise<number> {
    const now = this.#clock.now();
    return this.#database.write(async (client) => {
      const { version: newest } = await readHead(client, "FOR UPDATE");
      const { young } = await readOldest(client, now - ageMs);
      return forgetBefore(client, Math.min(newest, newest - versions + 1, young ?? newest, floor));
    });
  }

  async #write(request: CommitRequest): Promise<PlannedCommit> {
    let written: WrittenCommit | undefined;
    try {
      written = await this.#database.write(async (client) => {
        written = await this.#commit(client, request);
        return written;
      });
    } catch (error) {
      if (!(error instanceof UncertainCommit) || written?.entry === undefined) throw error;
      await this.#requireStored(written.entry, error);
    }
    this.#learn(written.revision);
    return written;
  }

  /** With the head locked nobody else can commit, so the next version is ours and follows the newest. */
  async #commit(client: ClientBase, request: CommitRequest): Promise<WrittenCommit> {
    const row = await readHead(client, "FOR UPDATE");
    const planned = await this.#plan(client, row, request);
    const { revision, changes, delta, created, fileHash } = planned;
    if (fileHash !== undefined && fileHash !== row.fileHash) await setFileHash(client, fileHash);
    if (!created) return { ...planned, entry: undefined };
    const entry = await appendAudit(client, row, auditOfCommit(planned), revision.committedAt);
    await endResources(
      client,
      changes.filter(({ action }) => action !== "added"),
      revision.version,
    );
    await addResources(client, delta.upserts, revision.version);
    await addRevision(client, revision);
    return { ...planned, entry };
  }

  async #plan(client: ClientBase, row: HeadRow, request: CommitRequest): Promise<PlannedCommit> {
    const head = await this.#refresh(client, row);
    const { epoch, fileHash: lastFromFile } = row;
    return planCommit({ epoch, head, lastFromFile, now: this.#clock.now() }, request);
  }

  /**
   * The connection broke at the end: another one tells whether the commit came through. It takes the lock that the commit has
   * for as long as the database works on it, or else one that is on its way would pass for one that is not there.
   * @throws RunwayError `storeUnavailable` when it is not stored, `uncertain` when nobody can tell
   */
  async #requireStored({ number, hash }: AuditEntry, uncertain: UncertainCommit): Promise<void> {
    let stored: AuditEntry | undefined;
    try {
      stored = await this.#database.write(async (client) => {
        await readHead(client, "FOR UPDATE");
        return (await readAudit(client, number - 1, 1))[0];
      });
    } catch {
      throw uncertain;
    }
    if (stored?.hash === hash) return;
    throw new RunwayError(
      "storeUnavailable",
      "The connection to the database broke, and the change was not stored. Try again.",
    );
  }

  /** The newest version as this transaction sees it; reads what has changed since the one that is known, and no more. */
  async #refresh(client: ClientBase, { epoch, version }: HeadRow): Promise<Revision | undefined> {
    const known = this.#head;
    if (version === (known?.version ?? 0)) return known;
    const summary = await readSummary(client, epoch, version);
    const delta = known === undefined ? undefined : await readDelta(client, version, known.version, version);
    const head =
      summary === undefined || delta === undefined
        ? await this.#read(client, epoch, version)
        : (followRevision(known, summary, delta) ?? this.#damaged(version));
    if (head !== undefined) this.#learn(head);
    return head;
  }

  #learn(revision: Revision): void {
    if (revision.version > (this.#head?.version ?? 0)) this.#head = revision;
  }

  /** @throws RunwayError `storeUnavailable` when what was read does not have the hash it was written with. */
  async #read(client: ClientBase, epoch: string, version: number): Promise<Revision | undefined> {
    const summary = await readSummary(client, epoch, version);
    if (summary === undefined) return undefined;
    const resources = await readState(client, version);
    if (stateHash(resources) !== summary.hash) this.#damaged(version);
    return Object.freeze({ ...summary, resources });
  }

  #damaged(version: number): never {
    const { where } = this.#database;
    throw new RunwayError(
      "storeUnavailable",
      `Version ${version} in the PostgreSQL database ${where} is damaged; restore a backup.`,
    );
  }
}

async function readDelta(
  client: ClientBase,
  newest: number,
  from: number,
  to: number,
): Promise<EffectiveDelta | undefined> {
  const { oldest } = await readOldest(client);
  const isKept = (version: number) => version === 0 || (version >= oldest && version <= newest);
  if (!isKept(from) || !isKept(to)) return undefined;
  const { ended, begun } = await readBetween(client, Math.min(from, to), Math.max(from, to));
  return from <= to ? deltaBetween(ended, begun) : deltaBetween(begun, ended);
}
