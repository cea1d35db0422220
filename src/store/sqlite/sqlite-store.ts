import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import type { AuditLog } from "../../config/audit-log.ts";
import type { JoinTokenStore } from "../../config/join-token-store.ts";
import type { RevisionLog } from "../../config/revision-log.ts";
import type { RevocationList } from "../../config/revocation-list.ts";
import type { Store } from "../../config/store.ts";
import type { TokenStore } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { pageSize } from "../page-size.ts";
import { AuditTable } from "./audit-table.ts";
import { guardStore, openDatabase, transaction } from "./database.ts";
import { JoinTokenTable } from "./join-token-table.ts";
import { RevisionTables } from "./revision-tables.ts";
import { RevocationTable } from "./revocation-table.ts";
import { STORE_SCHEMA } from "./schema.ts";
import { SqliteJoinTokenStore } from "./sqlite-join-token-store.ts";
import { SqliteRevisionLog } from "./sqlite-revision-log.ts";
import { SqliteRevocationList } from "./sqlite-revocation-list.ts";
import { SqliteTokenStore } from "./sqlite-token-store.ts";
import { TokenTable } from "./token-table.ts";

/** An open file, and the statements on its tables. */
export interface OpenStore {
  readonly database: DatabaseSync;
  readonly revisions: RevisionTables;
  readonly audit: AuditTable;
  readonly tokens: TokenTable;
  readonly revocations: RevocationTable;
  readonly joinTokens: JoinTokenTable;
}

export interface SqliteStoreOptions {
  readonly directory: string;
  readonly clock: Clock;
  /** How long a commit waits for another process that writes; 2 s unless given. */
  readonly busyTimeoutMs?: number;
}

/** A control plane's store in one SQLite file, `revisions.db`, in a directory of its own. */
export class SqliteStore implements Store {
  readonly file: string;
  readonly revisions: RevisionLog;
  readonly audit: AuditLog;
  readonly tokens: TokenStore;
  readonly revocations: RevocationList;
  readonly joinTokens: JoinTokenStore;
  readonly fleet = undefined;
  readonly calls = undefined;
  readonly #clock: Clock;
  readonly #busyTimeoutMs: number;
  readonly #revisions: SqliteRevisionLog;
  #store: OpenStore | undefined;

  constructor({ directory, clock, busyTimeoutMs = 2_000 }: SqliteStoreOptions) {
    this.file = join(directory, "revisions.db");
    this.#clock = clock;
    this.#busyTimeoutMs = busyTimeoutMs;
    this.#revisions = new SqliteRevisionLog(this, clock);
    this.revisions = this.#revisions;
    this.audit = this.#auditLog();
    this.tokens = new SqliteTokenStore(this, clock);
    this.revocations = new SqliteRevocationList(this, clock);
    this.joinTokens = new SqliteJoinTokenStore(this, clock);
  }

  async open(): Promise<string> {
    this.#store ??= guardStore(this.file, STORE_SCHEMA.name, () => this.#open());
    return this.#store.revisions.epoch;
  }

  async close(): Promise<void> {
    this.#store?.database.close();
    this.#store = undefined;
  }

  /** Nobody else is meant to write the file, so there is nothing to tell. */
  watch(): () => void {
    return () => {};
  }

  /** @throws RunwayError `storeUnavailable` */
  use<T>(action: (store: OpenStore) => T): T {
    const store = this.#store;
    if (store === undefined) throw new RunwayError("storeUnavailable", `The revision log ${this.file} is not open.`);
    return guardStore(this.file, STORE_SCHEMA.name, () => action(store));
  }

  /** Runs `action` in one transaction that excludes other writers. */
  write<T>(action: (store: OpenStore) => T): T {
    return this.use((store) =>
      transaction(store.database, () => ({ value: action(store), outcome: "commit" as const })),
    );
  }

  #open(): OpenStore {
    const database = openDatabase(this.file, STORE_SCHEMA, this.#busyTimeoutMs);
    try {
      const revisions = new RevisionTables(database, randomUUID());
      const store = {
        ...{ database, revisions, audit: new AuditTable(database) },
        ...{ tokens: new TokenTable(database), revocations: new RevocationTable(database) },
        joinTokens: new JoinTokenTable(database),
      };
      this.#revisions.opened(store);
      return store;
    } catch (error) {
      database.close();
      throw error;
    }
  }

  #auditLog(): AuditLog {
    return {
      append: async (record) => this.write(({ audit }) => audit.append(record, this.#clock.now())),
      entries: async ({ limit, after }) => this.use(({ audit }) => audit.page(after ?? 0, pageSize(limit))),
    };
  }
}
