import { randomUUID } from "node:crypto";
import type { AuditLog } from "../../config/audit-log.ts";
import type { CallBoard } from "../../config/call-board.ts";
import type { FleetRegistry } from "../../config/fleet-registry.ts";
import type { JoinTokenStore } from "../../config/join-token-store.ts";
import type { RevisionLog } from "../../config/revision-log.ts";
import type { RevocationList } from "../../config/revocation-list.ts";
import type { Store } from "../../config/store.ts";
import type { TokenStore } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { pageSize } from "../page-size.ts";
import { Announcements, CHANNEL } from "./announcements.ts";
import type { ConnectionSettings } from "./connection-settings.ts";
import { Database } from "./database.ts";
import { PostgresCallBoard } from "./postgres-call-board.ts";
import { PostgresFleetRegistry } from "./postgres-fleet-registry.ts";
import { PostgresJoinTokenStore } from "./postgres-join-token-store.ts";
import { PostgresRevisionLog } from "./postgres-revision-log.ts";
import { PostgresRevocationList } from "./postgres-revocation-list.ts";
import { PostgresTokenStore } from "./postgres-token-store.ts";
import { appendAudit, readAudit, readHead } from "./revision-queries.ts";
import { migrate } from "./schema.ts";

export interface PostgresStoreOptions {
  readonly connection: ConnectionSettings;
  /** Whether to be told of changes at once. */
  readonly listen: boolean;
  readonly clock: Clock;
}

/** The store of several control planes in one PostgreSQL database, in its schema `runway`. */
export class PostgresStore implements Store {
  readonly revisions: RevisionLog;
  readonly audit: AuditLog;
  readonly tokens: TokenStore;
  readonly revocations: RevocationList;
  readonly joinTokens: JoinTokenStore;
  readonly fleet: FleetRegistry;
  readonly calls: CallBoard;
  readonly #database: Database;
  readonly #clock: Clock;
  readonly #announcements: Announcements | undefined;
  #epoch: string | undefined;

  constructor({ connection, listen, clock }: PostgresStoreOptions) {
    this.#database = new Database(connection, clock);
    this.#clock = clock;
    this.#announcements = listen ? new Announcements(this.#database, clock) : undefined;
    this.revisions = new PostgresRevisionLog(this.#database, clock);
    this.tokens = new PostgresTokenStore(this.#database, clock);
    this.revocations = new PostgresRevocationList(this.#database, clock);
    this.joinTokens = new PostgresJoinTokenStore(this.#database, clock);
    this.fleet = new PostgresFleetRegistry(this.#database);
    this.calls = new PostgresCallBoard(this.#database, this.#announcements);
    this.audit = this.#auditLog();
  }

  async open(): Promise<string> {
    this.#database.open();
    this.#epoch ??= await this.#database.use((client) => migrate(client, randomUUID()));
    this.#announcements?.start();
    return this.#epoch;
  }

  async close(): Promise<void> {
    this.#epoch = undefined;
    await this.#announcements?.stop();
    await this.#database.close();
  }

  watch(listener: () => void): () => void {
    return this.#announcements?.listen(CHANNEL, listener) ?? (() => {});
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
