import { Client, type ClientBase, type ClientConfig, Pool, type PoolClient } from "pg";
import type { Clock } from "../../core/clock.ts";
import { RunwayError } from "../../core/failure.ts";
import { type ConnectionSettings, describeConnection } from "./connection-settings.ts";
import { isConnectionLoss, storeFailure } from "./store-failure.ts";

/**
 * How long things may take, in milliseconds. A writer that stands still in a transaction (a process that is stopped) loses
 * it sooner than others give up waiting for its lock, so it costs them time and not their change.
 */
const LIMITS = {
  connect: 3_000,
  idleInTransaction: 2_000,
  lock: 4_000,
  statement: 20_000,
  /** On our side, for a server that is silent. */
  answer: 22_000,
} as const;

const MAX_CONNECTIONS = 6;

/** Since when and why the database cannot be used. */
export interface Absence {
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly reason: string;
}

/** A PostgreSQL database: a few connections, transactions on them, and whether it can be used. */
export class Database {
  readonly where: string;
  readonly #settings: ConnectionSettings;
  readonly #clock: Clock;
  #pool: Pool | undefined;
  #absence: Absence | undefined;

  constructor(settings: ConnectionSettings, clock: Clock) {
    this.where = describeConnection(settings);
    this.#settings = settings;
    this.#clock = clock;
  }

  /** By what came of using it last. */
  get absence(): Absence | undefined {
    return this.#absence;
  }

  open(): void {
    if (this.#pool !== undefined) return;
    this.#pool = new Pool({ ...this.#config(), max: MAX_CONNECTIONS, idleTimeoutMillis: 30_000 });
    // A connection that breaks while nobody uses it; the next use makes another.
    this.#pool.on("error", () => {});
  }

  async close(): Promise<void> {
    const pool = this.#pool;
    this.#pool = undefined;
    await pool?.end();
  }

  /** A connection that is not one of the few. */
  newClient(): Client {
    return new Client(this.#config());
  }

  /** One statement, or several that see one state of the database if they are a `read`. */
  async use<T>(action: (client: ClientBase) => Promise<T>): Promise<T> {
    try {
      const result = await this.#onceMore(action);
      this.#absence = undefined;
      return result;
    } catch (error) {
      const failure = storeFailure(this.where, error);
      if (isConnectionLoss(error))
        this.#absence ??= { since: this.#clock.now(), reason: failure.detail ?? failure.message };
      throw failure;
    }
  }

  /** Runs `action` in a transaction that sees one state of the database throughout and writes nothing. */
  read<T>(action: (client: ClientBase) => Promise<T>): Promise<T> {
    return this.use((client) => inTransaction(client, "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", action));
  }

  /** Runs `action` in a transaction; it is committed as a whole or not there. */
  write<T>(action: (client: ClientBase) => Promise<T>): Promise<T> {
    return this.use((client) => inTransaction(client, "BEGIN", action));
  }

  /** A connection that was kept may be dead, which is found out by using it: nothing is lost by a second try on another. */
  async #onceMore<T>(action: (client: ClientBase) => Promise<T>): Promise<T> {
    try {
      return await this.#once(action);
    } catch (error) {
      if (!isConnectionLoss(error)) throw error;
      return this.#once(action);
    }
  }

  async #once<T>(action: (client: ClientBase) => Promise<T>): Promise<T> {
    if (this.#pool === undefined)
      throw new RunwayError("storeUnavailable", `The PostgreSQL database ${this.where} is not open.`);
    const client: PoolClient = await this.#pool.connect();
    let failure: unknown;
    const broken = (error: Error): void => {
      failure = error;
    };
    client.on("error", broken);
    try {
      return await action(client);
    } catch (error) {
      if (error instanceof UncertainCommit || isConnectionLoss(error)) failure ??= error;
      throw error;
    } finally {
      client.off("error", broken);
      client.release(failure !== undefined);
    }
  }

  #config(): ClientConfig {
    const { host, port, database, user, password, tls } = this.#settings;
    return {
      ...{ host, port, database, user },
      password: () => password() ?? "",
      ssl: tls ?? false,
      application_name: "runway",
      keepAlive: true,
      connectionTimeoutMillis: LIMITS.connect,
      lock_timeout: LIMITS.lock,
      statement_timeout: LIMITS.statement,
      idle_in_transaction_session_timeout: LIMITS.idleInTransaction,
      query_timeout: LIMITS.answer,
    };
  }
}

/** The connection broke while the transaction was being committed: it may or may not be there. */
export class UncertainCommit extends RunwayError {
  constructor(cause: unknown) {
    super(
      "commitUncertain",
      "The connection to the database broke while the change was being stored, so that it may be there or not. Look at the newest version before you try again.",
      { cause },
    );
  }
}

async function inTransaction<T>(
  client: ClientBase,
  begin: string,
  action: (client: ClientBase) => Promise<T>,
): Promise<T> {
  await client.query(begin);
  let result: T;
  try {
    result = await action(client);
  } catch (error) {
    if (!isConnectionLoss(error)) await client.query("ROLLBACK");
    throw error;
  }
  try {
    await client.query("COMMIT");
  } catch (error) {
    throw isConnectionLoss(error) ? new UncertainCommit(error) : error;
  }
  return result;
}
