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
import { formatHash, stateHash } from "../../config/state-hash.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { auditOfCommit, followRevision, type PlannedCommit, planCommit } from "../next-revision.ts";
import { pageSize } from "../page-size.ts";
import { transaction } from "./database.ts";
import type { RevisionTables } from "./revision-tables.ts";
import type { OpenStore, SqliteStore } from "./sqlite-store.ts";

/** The revisions of a SQLite store. */
export class SqliteRevisionLog implements RevisionLog {
  readonly #store: SqliteStore;
  readonly #clock: Clock;
  /** The newest version, kept so that reading it costs nothing and a commit compares in memory. The file is the truth. */
  #head: Revision | undefined;

  constructor(store: SqliteStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  /** Reads the newest version. @throws RunwayError `storeUnavailable` when it is damaged */
  opened({ revisions }: OpenStore): void {
    this.#head = this.#read(revisions, revisions.bounds().newest);
  }

  async head(): Promise<Revision | undefined> {
    return this.#store.use(({ revisions }) => this.#refreshHead(revisions));
  }

  async get(version: number): Promise<Revision | undefined> {
    return this.#store.use(({ revisions }) => this.#read(revisions, version));
  }

  async delta(from: number, to: number): Promise<EffectiveDelta | undefined> {
    return this.#store.use(({ revisions }) => readDelta(revisions, from, to));
  }

  async history({ limit, before }: HistoryPage): Promise<RevisionSummary[]> {
    return this.#store.use(({ revisions }) => revisions.summaries(before ?? Number.MAX_SAFE_INTEGER, pageSize(limit)));
  }

  async lastFromFile(): Promise<bigint | undefined> {
    return this.#store.use(({ revisions }) => lastFromFile(revisions));
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    return this.#store.use((store) => {
      const planned = transaction(store.database, () => ({
        value: this.#commit(store, request),
        outcome: request.dryRun === true ? "roll back" : "commit",
      }));
      if (request.dryRun !== true) this.#head = planned.revision;
      const { revision, changes, delta, from, created } = planned;
      return { revision, changes, delta, from, created };
    });
  }

  async prune({ versions, ageMs, floor }: Retention): Promise<number> {
    const now = this.#clock.now();
    return this.#store.write(({ revisions }) => {
      const { newest } = revisions.bounds();
      const young = revisions.oldestSince(now - ageMs) ?? newest;
      return revisions.forgetBefore(Math.min(newest, newest - versions + 1, young, floor));
    });
  }

  /** Runs inside a transaction that excludes other writers. */
  #commit({ revisions, audit }: OpenStore, request: CommitRequest): PlannedCommit {
    const now = this.#clock.now();
    const head = this.#refreshHead(revisions);
    const base = { epoch: revisions.epoch, head, lastFromFile: lastFromFile(revisions), now };
    const planned = planCommit(base, request);
    if (planned.fileHash !== undefined) revisions.setFact("file_hash", formatHash(planned.fileHash));
    if (!planned.created) return planned;
    write(revisions, planned);
    audit.append(auditOfCommit(planned), now);
    return planned;
  }

  /** Another process may have committed; what it changed is read and no more. */
  #refreshHead(tables: RevisionTables): Revision | undefined {
    const { newest } = tables.bounds();
    const from = this.#head?.version ?? 0;
    if (newest === from) return this.#head;
    const summary = tables.summary(newest);
    const delta = readDelta(tables, from, newest);
    this.#head =
      summary === undefined || delta === undefined
        ? this.#read(tables, newest)
        : (followRevision(this.#head, summary, delta) ?? this.#damaged(newest));
    return this.#head;
  }

  /** @throws RunwayError `storeUnavailable` when what was read does not have the hash it was written with. */
  #read(tables: RevisionTables, version: number): Revision | undefined {
    const summary = tables.summary(version);
    if (summary === undefined) return undefined;
    const resources = tables.state(version);
    if (stateHash(resources) !== summary.hash) this.#damaged(version);
    return Object.freeze({ ...summary, resources });
  }

  #damaged(version: number): never {
    const advice = "restore a backup, or move it away to begin anew";
    throw new RunwayError("storeUnavailable", `Version ${version} in ${this.#store.file} is damaged; ${advice}.`);
  }
}

function readDelta(tables: RevisionTables, from: number, to: number): EffectiveDelta | undefined {
  const { oldest, newest } = tables.bounds();
  const isKept = (version: number) => version === 0 || (version >= oldest && version <= newest);
  if (!isKept(from) || !isKept(to)) return undefined;
  const { ended, begun } = tables.between(Math.min(from, to), Math.max(from, to));
  return from <= to ? deltaBetween(ended, begun) : deltaBetween(begun, ended);
}

function lastFromFile(tables: RevisionTables): bigint | undefined {
  const hash = tables.fact("file_hash");
  return hash === undefined ? undefined : BigInt(`0x${hash}`);
}

function write(tables: RevisionTables, { revision, changes, delta }: PlannedCommit): void {
  tables.addSummary(revision);
  for (const change of changes) if (change.action !== "added") tables.endResource(change, revision.version);
  for (const resource of delta.upserts) tables.addResource(resource, revision.version);
}
