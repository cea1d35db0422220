import type { ClientBase } from "pg";
import {
  MAX_REVOCATIONS,
  REVOCATION_MEMORY_MS,
  type Revocation,
  type RevocationList,
  type RevokedKind,
} from "../../config/revocation-list.ts";
import type { Clock } from "../../core/clock.ts";
import { auditOfLifting, auditOfRevocation, refuseRevocation } from "../revocation-audit.ts";
import { storedText } from "../stored-text.ts";
import { CHANNEL } from "./announcements.ts";
import type { Database } from "./database.ts";
import { appendAudit, readHead } from "./revision-queries.ts";

/** What was revoked, in a PostgreSQL store. Whoever listens is told of a change once it is committed. */
export class PostgresRevocationList implements RevocationList {
  readonly #database: Database;
  readonly #clock: Clock;

  constructor(database: Database, clock: Clock) {
    this.#database = database;
    this.#clock = clock;
  }

  async add(revocations: readonly Revocation[]): Promise<void> {
    const now = this.#clock.now();
    await this.#database.write(async (client) => {
      await client.query("DELETE FROM runway.revocation WHERE expires_at < $1", [now - REVOCATION_MEMORY_MS]);
      for (const revocation of revocations) {
        // Read anew each time, since each entry of the audit log follows the one before; the lock is held since the first.
        const head = await readHead(client, "FOR UPDATE");
        await put(client, revocation);
        await appendAudit(client, head, auditOfRevocation(revocation), now);
      }
      const { rows } = await client.query("SELECT count(*) AS count FROM runway.revocation");
      if (Number(rows[0].count) > MAX_REVOCATIONS) refuseRevocation();
      await countChange(client);
    });
  }

  lift(kind: RevokedKind, value: string, by: string): Promise<boolean> {
    return this.#database.write(async (client) => {
      const head = await readHead(client, "FOR UPDATE");
      const { rowCount } = await client.query("DELETE FROM runway.revocation WHERE kind = $1 AND value = $2", [
        kind,
        value,
      ]);
      if (rowCount === 0) return false;
      await appendAudit(client, head, auditOfLifting(kind, value, by), this.#clock.now());
      await countChange(client);
      return true;
    });
  }

  list(): Promise<readonly Revocation[]> {
    return this.#database.use(async (client) => {
      const { rows } = await client.query("SELECT * FROM runway.revocation ORDER BY revoked_at DESC, kind, value");
      return rows.map(({ kind, value, reason, revoked_at, revoked_by, expires_at }) => ({
        ...{ kind, value, reason, revokedAt: Number(revoked_at), revokedBy: revoked_by },
        ...(expires_at === null ? {} : { expiresAt: Number(expires_at) }),
      }));
    });
  }

  mark(): Promise<number> {
    return this.#database.use(async (client) => {
      const { rows } = await client.query("SELECT revocation_mark FROM runway.head");
      return Number(rows[0].revocation_mark);
    });
  }
}

async function put(client: ClientBase, revocation: Revocation): Promise<void> {
  const { kind, value, reason, revokedAt, revokedBy, expiresAt } = revocation;
  await client.query(
    `INSERT INTO runway.revocation VALUES ($1, $2, $3, $4, $5, $6)
     ON CONFLICT (kind, value) DO UPDATE SET reason = excluded.reason, revoked_at = excluded.revoked_at,
       revoked_by = excluded.revoked_by, expires_at = excluded.expires_at`,
    [kind, value, storedText(reason), revokedAt, storedText(revokedBy), expiresAt ?? null],
  );
}

async function countChange(client: ClientBase): Promise<void> {
  await client.query(
    `WITH told AS (SELECT pg_notify('${CHANNEL}', 'revocation')), counted AS (UPDATE runway.head SET revocation_mark = revocation_mark + 1)
     SELECT count(*) FROM told`,
  );
}
