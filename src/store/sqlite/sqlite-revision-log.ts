import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import { type Change, difference } from "../../config/difference.ts";
import { inCanonicalOrder, type Resource, resourceKey } from "../../config/resource.ts";
import type {
  CommitRequest,
  CommitResult,
  HistoryPage,
  Revision,
  RevisionLog,
  RevisionSummary,
} from "../../config/revision-log.ts";
import { freezeResource } from "../../config/snapshot.ts";
import { adjustStateHash, formatHash, resourceHash, stateHash } from "../../config/state-hash.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { guardStore, openDatabase, transaction } from "./database.ts";
import { REVISION_LOG_SCHEMA, RevisionTables } from "./revision-tables.ts";

interface OpenStore {
  readonly database: DatabaseSync;
  readonly tables: RevisionTables;
  /** The newest version, kept so that reading it costs nothing and a commit compares in memory. The file is the truth. */
  head: Revision | undefined;
}

export interface SqliteRevisionLogOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** How long a commit waits for another process that writes; 2 s unless given. */
  readonly busyTimeoutMs?: number;
}

/** The revision log in one SQLite file, `revisions.db`, in a directory of its own. */
export class SqliteRevisionLog implements RevisionLog {
  readonly #file: string;
  readonly #clock: Clock;
  readonly #busyTimeoutMs: number;
  #store: OpenStore | undefined;

  constructor({ directory, clock, busyTimeoutMs = 2_000 }: SqliteRevisionLogOptions) {
    this.#file = join(directory, "revisions.db");
    this.#clock = clock;
    this.#busyTimeoutMs = busyTimeoutMs;
  }

  async open(): Promise<string> {
    this.#store ??= this.#guard(() => {
      const database = openDatabase(this.#file, REVISION_LOG_SCHEMA, this.#busyTimeoutMs);
      try {
        const tables = new RevisionTables(database, randomUUID());
        return { database, tables, head: this.#read(tables, tables.newestVersion()) };
      } catch (error) {
        database.close();
        throw error;
      }
    });
    return this.#store.tables.epoch;
  }

  async close(): Promise<void> {
    this.#store?.database.close();
    this.#store = undefined;
  }

  async head(): Promise<Revision | undefined> {
    return this.#use((store) => this.#refreshHead(store));
  }

  async get(version: number): Promise<Revision | undefined> {
    return this.#use(({ tables }) => this.#read(tables, version));
  }

  async history({ limit, before }: HistoryPage): Promise<RevisionSummary[]> {
    const count = Math.max(1, Math.min(1_000, limit));
    return this.#use(({ tables }) => tables.summaries(before ?? Number.MAX_SAFE_INTEGER, count));
  }

  async lastFromFile(): Promise<bigint | undefined> {
    const hash = this.#use(({ tables }) => tables.fact("file_hash"));
    return hash === undefined ? undefined : BigInt(`0x${hash}`);
  }

  async commit(request: CommitRequest): Promise<CommitResult> {
    return this.#use((store) => {
      const result = transaction(store.database, () => ({
        value: this.#commit(store, request),
        outcome: request.dryRun === true ? "roll back" : "commit",
      }));
      if (request.dryRun !== true) store.head = result.revision;
      return result;
    });
  }

  /** Runs inside a transaction that excludes other writers. */
  #commit(store: OpenStore, request: CommitRequest): CommitResult {
    const head = this.#refreshHead(store);
    expectVersion(head, request.expectedVersion);
    const next = nextRevision(head, request, store.tables.epoch, this.#clock.now());
    const unchanged = head !== undefined && next.changes.length === 0;
    const fromFile = request.source !== "admin-api";
    const hash = formatHash(next.revision.hash);
    const sameFile = fromFile && store.tables.fact("file_hash") === hash;
    if (fromFile) store.tables.setFact("file_hash", hash);
    if (head !== undefined && (unchanged || sameFile)) return { revision: head, changes: [], created: false };
    write(store.tables, next);
    return { ...next, created: true };
  }

  #refreshHead(store: OpenStore): Revision | undefined {
    const newest = store.tables.newestVersion();
    if (newest !== (store.head?.version ?? 0)) store.head = this.#read(store.tables, newest);
    return store.head;
  }

  /** @throws RunwayError `storeUnavailable` when what was read does not have the hash it was written with. */
  #read(tables: RevisionTables, version: number): Revision | undefined {
    const summary = tables.summary(version);
    if (summary === undefined) return undefined;
    const resources = tables.state(version);
    if (stateHash(resources) === summary.hash) return freeze({ ...summary, resources });
    const advice = "restore a backup, or move it away to begin anew";
    throw new RunwayError("storeUnavailable", `Version ${version} in ${this.#file} is damaged; ${advice}.`);
  }

  #use<T>(action: (store: OpenStore) => T): T {
    const store = this.#store;
    if (store === undefined) throw new RunwayError("storeUnavailable", `The revision log ${this.#file} is not open.`);
    return this.#guard(() => action(store));
  }

  #guard<T>(action: () => T): T {
    return guardStore(this.#file, REVISION_LOG_SCHEMA.name, action);
  }
}

/** A version to be and what it changes. */
interface NextRevision {
  readonly revision: Revision;
  readonly changes: readonly Change[];
}

function nextRevision(
  head: Revision | undefined,
  { author, source, message, resources }: CommitRequest,
  epoch: string,
  committedAt: number,
): NextRevision {
  const before = head?.resources ?? [];
  const after = inCanonicalOrder(resources).map(freezeResource);
  const changes = difference(before, after);
  const hash = adjustStateHash(
    head?.hash ?? 0n,
    pick(before, changes, "added").map(resourceHash),
    pick(after, changes, "removed").map(resourceHash),
  );
  const version = (head?.version ?? 0) + 1;
  return {
    revision: freeze({ epoch, version, hash, resources: after, author, source, message, committedAt }),
    changes,
  };
}

/** The resources that changes speak of, those with the action `except` left out. */
function pick(resources: readonly Resource[], changes: readonly Change[], except: Change["action"]): Resource[] {
  const keys = new Set(changes.filter(({ action }) => action !== except).map(resourceKey));
  return keys.size === 0 ? [] : resources.filter((resource) => keys.has(resourceKey(resource)));
}

function write(tables: RevisionTables, { revision, changes }: NextRevision): void {
  tables.addSummary(revision);
  for (const change of changes) if (change.action !== "added") tables.endResource(change, revision.version);
  for (const resource of pick(revision.resources, changes, "removed")) tables.addResource(resource, revision.version);
}

function expectVersion(head: Revision | undefined, expected: number | undefined): void {
  const version = head?.version ?? 0;
  if (expected === undefined || expected === version) return;
  throw new RunwayError(
    "versionConflict",
    `The configuration is at version ${version}, not ${expected}; read it again.`,
  );
}

function freeze(revision: Revision): Revision {
  Object.freeze(revision.resources);
  return Object.freeze(revision);
}
