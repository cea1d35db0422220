import type { ClientBase } from "pg";
import { MAX_TOKENS, TOKEN_MEMORY_MS, type Token, type TokenStore } from "../../config/token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { storedText } from "../stored-text.ts";
import { auditOfToken, refuseToken } from "../token-audit.ts";
import type { Database } from "./database.ts";
import { appendAudit, readHead } from "./revision-queries.ts";

/** The tokens of a PostgreSQL store. Who was let in before is let in while the database is away. */
export class PostgresTokenStore implements TokenStore {
  readonly #database: Database;
  readonly #clock: Clock;
  /** By the hash of their secrets, as the database had them last; no more than it ever has. */
  #known = new Map<string, Token>();

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async add(token: Token): Promise<void> {
    const now = this.#clock.now();
    await this.#database.write(async (client) => {
      const head = await readHead(client, "FOR UPDATE");
      await client.query("DELETE FROM runway.token WHERE least(expires_at, revoked_at) < $1", [now - TOKEN_MEMORY_MS]);
      const { rows } = await client.query("SELECT count(*) AS count FROM runway.token");
      if (Number(rows[0].count) >= MAX_TOKENS) refuseToken();
      const { id, name, role, secretHash, createdAt, createdBy, expiresAt } = token;
      await client.query("INSERT INTO runway.token VALUES ($1, $2, $3, $4, $5, $6, $7)", [
        ...[id, storedText(name), role, secretHash],
        ...[createdAt, storedText(createdBy), expiresAt ?? null],
      ]);
      await appendAudit(client, head, auditOfToken("token.create", token, token.createdBy), now);
    });
  }

  async list(): Promise<readonly Token[]> {
    const tokens = await this.#database.use((client) => readTokens(client, "ORDER BY created_at DESC, id"));
    this.#known = new Map(tokens.map((token) => [token.secretHash, token]));
    return tokens;
  }

  async find(secretHash: string): Promise<Token | undefined> {
    if (this.#database.absence === undefined) {
      const found = await this.#ask(secretHash);
      if (found !== "away") return this.#remember(secretHash, found);
    }
    return this.#known.get(secretHash);
  }

  #remember(secretHash: string, token: Token | undefined): Token | undefined {
    if (token === undefined) this.#known.delete(secretHash);
    else this.#known.set(secretHash, token);
    return token;
  }

  revoke(id: string, by: string): Promise<Token | undefined> {
    const now = this.#clock.now();
    return this.#database.write(async (client) => {
      const head = await readHead(client, "FOR UPDATE");
      const { rowCount } = await client.query(
        "UPDATE runway.token SET revoked_at = $1 WHERE id = $2 AND revoked_at IS NULL",
        [now, id],
      );
      const [token] = await readTokens(client, "WHERE id = $1", [id]);
      if (rowCount === 1 && token !== undefined)
        await appendAudit(client, head, auditOfToken("token.revoke", token, by), now);
      return token;
    });
  }

  async #ask(secretHash: string): Promise<Token | undefined | "away"> {
    try {
      const [token] = await this.#database.use((client) => readTokens(client, "WHERE secret_hash = $1", [secretHash]));
      return token;
    } catch {
      return "away";
    }
  }
}

async function readTokens(client: ClientBase, rest: string, values: unknown[] = []): Promise<Token[]> {
  const { rows } = await client.query(`SELECT * FROM runway.token ${rest}`, values);
  return rows.map((row) => ({
    ...{ id: row.id, name: row.name, role: row.role, secretHash: row.secret_hash },
    ...{ createdAt: Number(row.created_at), createdBy: row.created_by },
    ...(row.expires_at === null ? {} : { expiresAt: Number(row.expires_at) }),
    ...(row.revoked_at === null ? {} : { revokedAt: Number(row.revoked_at) }),
  }));
}
