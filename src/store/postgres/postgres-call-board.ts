import { type BoardAnswer, type BoardCall, type CallBoard, MAX_BOARD_CALLS } from "../../config/call-board.ts";
import { RunwayError } from "../../core/failure.ts";
import type { Announcements, Channel } from "./announcements.ts";
import type { Database } from "./database.ts";

/** Named with the control plane that something is for. */
const CALL_CHANNEL = "runway_call" satisfies Channel;

/**
 * Calls between control planes, in a table that is not logged: they are worth nothing after a crash. A notification of PostgreSQL
 * holds 8,000 bytes at most, so it says only for whom there is something.
 */
export class PostgresCallBoard implements CallBoard {
  readonly #database: Database;
  readonly #announcements: Announcements | undefined;

  constructor(database: Database, announcements: Announcements | undefined) {
    this.#database = database;
    this.#announcements = announcements;
  }

  async put({ id, from, to, timeLeftMs, text }: BoardCall): Promise<void> {
    await this.#database.write(async (client) => {
      await client.query("DELETE FROM runway.call WHERE expires_at < now()");
      // Repeated after a broken connection, it may be there already.
      const put = await client.query(
        `INSERT INTO runway.call (id, caller, callee, question, expires_at)
         SELECT $1, $2, $3, $4, now() + $5 * interval '1 ms' WHERE (SELECT count(*) FROM runway.call) < $6
         ON CONFLICT (id) DO UPDATE SET question = excluded.question`,
        [id, from, to, text, timeLeftMs, MAX_BOARD_CALLS],
      );
      if (put.rowCount === 0) throw new RunwayError("overloaded", "too many calls between control planes are open");
      await client.query("SELECT pg_notify($1, $2)", [CALL_CHANNEL, to]);
    });
  }

  async take(to: string): Promise<readonly BoardCall[]> {
    const { rows } = await this.#database.use((client) =>
      client.query(
        `UPDATE runway.call SET is_taken = true
         WHERE id IN (SELECT id FROM runway.call WHERE callee = $1 AND NOT is_taken AND expires_at > now() FOR UPDATE SKIP LOCKED)
         RETURNING id, caller, question, (extract(epoch FROM expires_at - now()) * 1000)::float8 AS time_left_ms`,
        [to],
      ),
    );
    return rows.map(({ id, caller: from, question: text, time_left_ms: timeLeftMs }) => ({
      id,
      from,
      to,
      timeLeftMs,
      text,
    }));
  }

  async answer({ id, text }: BoardAnswer): Promise<void> {
    await this.#database.use((client) =>
      client.query(
        `WITH answered AS (UPDATE runway.call SET answer = $2 WHERE id = $1 AND expires_at > now() RETURNING caller)
         SELECT pg_notify($3, caller) FROM answered`,
        [id, text, CALL_CHANNEL],
      ),
    );
  }

  async collect(from: string): Promise<readonly BoardAnswer[]> {
    const { rows } = await this.#database.use((client) =>
      client.query("DELETE FROM runway.call WHERE caller = $1 AND answer IS NOT NULL RETURNING id, answer AS text", [
        from,
      ]),
    );
    return rows;
  }

  async withdraw(id: string): Promise<void> {
    await this.#database.use((client) => client.query("DELETE FROM runway.call WHERE id = $1", [id]));
  }

  watch(controlPlaneId: string, listener: () => void): () => void {
    const unlisten = this.#announcements?.listen(CALL_CHANNEL, (whom) => {
      if (whom === undefined || whom === controlPlaneId) listener();
    });
    return unlisten ?? (() => {});
  }
}
