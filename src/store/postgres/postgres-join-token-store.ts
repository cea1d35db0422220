import type { ClientBase } from "pg";
import {
  JOIN_TOKEN_MEMORY_MS,
  type JoinRequest,
  type JoinToken,
  type JoinTokenStore,
  type JoinVerdict,
  judgeJoin,
  MAX_JOIN_TOKENS,
} from "../../config/join-token-store.ts";
import type { Clock } from "../../core/clock.ts";
import { auditOfJoin, auditOfJoinToken, refuseJoinToken } from "../join-audit.ts";
import { storedText } from "../stored-text.ts";
import type { Database } from "./database.ts";
import { appendAudit, readHead } from "./revision-queries.ts";

/** The join tokens of a PostgreSQL store. Who uses one holds the lock on the head, so that of two control planes one is first. */
export class PostgresJoinTokenStore implements JoinTokenStore {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async add(token: JoinToken): Promise<void> {
    const now = this.#clock.now();
    await this.#database.write(async (client) => {
      const head = await readHead(client, "FOR UPDATE");
      await client.query("DELETE FROM runway.join_token WHERE expires_at < $1", [now - JOIN_TOKEN_MEMORY_MS]);
      const { rows } = await client.query("SELECT count(*) AS count FROM runway.join_token");
      if (Number(rows[0].count) >= MAX_JOIN_TOKENS) refuseJoinToken();
      const { id, secretHash, nodeId, createdAt, createdBy, expiresAt } = token;
      await client.query("INSERT INTO runway.join_token VALUES ($1, $2, $3, $4, $5, $6)", [
        ...[id, secretHash, nodeId ?? null, createdAt, storedText(createdBy), expiresAt],
      ]);
      await appendAudit(client, head, auditOfJoinToken("join_token.create", token, token.createdBy), now);
    });
  }

  list(): Promise<readonly JoinToken[]> {
    return this.#database.use((client) => readJoinTokens(client, "ORDER BY created_at DESC, id"));
  }

  use(request: JoinRequest): Promise<JoinVerdict> {
    const { secretHash, keyFingerprint } = request;
    const now = this.#clock.now();
    return this.#database.write(async (client) => {
      const head = await readHead(client, "FOR UPDATE");
      const [token] = await readJoinTokens(client, "WHERE secret_hash = $1", [secretHash]);
      const wanted = token?.nodeId ?? request.nodeId ?? request.freshId;
      const others = await readJoinTokens(client, "WHERE used_by = $1 LIMIT 1", [wanted]);
      const isTaken = (nodeId: string) => request.isTaken(nodeId) || others.length > 0;
      const verdict = judgeJoin(token, request, now, isTaken);
      if (token === undefined || !verdict.allowed || token.use !== undefined) return verdict;
      await client.query("UPDATE runway.join_token SET used_by = $1, used_key = $2, used_at = $3 WHERE id = $4", [
        ...[verdict.nodeId, keyFingerprint, now, token.id],
      ]);
      await appendAudit(client, head, auditOfJoin(token, verdict.nodeId, keyFingerprint), now);
      return verdict;
    });
  }

  revoke(id: string, by: string): Promise<boolean> {
    return this.#database.write(async (client) => {
      const head = await readHead(client, "FOR UPDATE");
      const [token] = await readJoinTokens(client, "WHERE id = $1", [id]);
      if (token === undefined) return false;
      await client.query("DELETE FROM runway.join_token WHERE id = $1", [id]);
      await appendAudit(client, head, auditOfJoinToken("join_token.revoke", token, by), this.#clock.now());
      return true;
    });
  }
}

async function readJoinTokens(client: ClientBase, rest: string, values: unknown[] = []): Promise<JoinToken[]> {
  const { rows } = await client.query(`SELECT * FROM runway.join_token ${rest}`, values);
  return rows.map((row) => ({
    ...{ id: row.id, secretHash: row.secret_hash },
    ...(row.node_id === null ? {} : { nodeId: row.node_id }),
    ...{ createdAt: Number(row.created_at), createdBy: row.created_by, expiresAt: Number(row.expires_at) },
    ...(row.used_at === null
      ? {}
      : { use: { nodeId: row.used_by, keyFingerprint: row.used_key, at: Number(row.used_at) } }),
  }));
}
