import { randomUUID } from "node:crypto";
import type { AuditLog } from "../../config/audit-log.ts";
import type { RevisionLog } from "../../config/revision-log.ts";
import type { Store } from "../../config/store.ts";
import type { TokenStore } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { pageSize } from "../page-size.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { type Absence, Database } from "./database.ts";
import { PostgresRevisionLog } from "./postgres-revision-log.ts";
import { PostgresTokenStore } from "./postgres-token-store.ts";
import { appendAudit, readAudit, readHead } from "./revision-queries.ts";
import { migrate } from "./schema.ts";

export interface PostgresStoreOptions {
  readonly connection: ConnectionSettings;
  readonly clock: Clock;
}

/** The store of several control planes in one PostgreSQL database, in its schema `runway`. */
export class PostgresStore implements Store {
  readonly revisions: RevisionLog;
  readonly audit: AuditLog;
  readonly tokens: TokenStore;
  readonly #database: Database;
  readonly #clock: Clock;
  #epoch: string | undefined;

  constructor({ connection, clock }: PostgresStoreOptions) {
    this.#database = new Database(connection, clock);
    this.#clock = clock;
    this.revisions = new PostgresRevisionLog(this.#database, clock);
    this.tokens = new PostgresTokenStore(this.#database, clock);
    this.audit = this.#auditLog();
  }

  async open(): Promise<string> {
    this.#database.open();
    this.#epoch ??= await this.#database.use((client) => migrate(client, randomUUID()));
    return this.#epoch;
  }

  /** Why it cannot be used, by what came of using it last. */
  get absence(): Absence | undefined {
    return this.#database.absence;
  }

  async close(): Promise<void> {
    this.#epoch = undefined;
    await this.#database.close();
  }

  #auditLog(): AuditLog {
    const database = this.#database;
    return {
      append: (record) =>
        database.write(async (client) =>
          appendAudit(client, await readHead(client, "FOR UPDATE"), record, this.#clock.now()),
        ),
      entries: ({ limit, after }) => database.use((client) => readAudit(client, after ?? 0, pageSize(limit))),
    };
  }
}
