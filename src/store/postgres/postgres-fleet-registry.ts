import type { ClientBase } from "pg";
import type { FleetNews, FleetRegistry, FleetReport } from "../../config/fleet-registry.ts";
import type { Database } from "./database.ts";

/** A change whose transaction began so long before it could be seen is still told. */
const OVERLAP_MS = 25_000;
/** A control plane that was silent for so long is gone, and its nodes with it. */
const MEMORY = "7 days";

/** What control planes tell each other, in tables of a PostgreSQL store. Times are the database's. */
export class PostgresFleetRegistry implements FleetRegistry {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  begin(controlPlaneId: string): Promise<void> {
    return this.#database.write(async (client) => {
      await client.query("UPDATE runway.node SET node = NULL, at = now() WHERE control_plane = $1", [controlPlaneId]);
      await client.query(`DELETE FROM runway.control_plane WHERE seen_at < now() - interval '${MEMORY}'`);
    });
  }

  exchange(report: FleetReport, since: number): Promise<FleetNews> {
    return this.#database.write(async (client) => {
      await tell(client, report);
      return hear(client, report.controlPlane.id, Math.max(0, since - OVERLAP_MS));
    });
  }
}

/** In the order of keys, so that two that write at once do not wait for each other in a circle. */
async function tell(client: ClientBase, { controlPlane, nodes, claims, freed }: FleetReport): Promise<void> {
  const { id, address } = controlPlane;
  await client.query(
    `INSERT INTO runway.control_plane VALUES ($1, $2, now())
     ON CONFLICT (id) DO UPDATE SET address = excluded.address, seen_at = excluded.seen_at`,
    [id, address],
  );
  const rows = [...nodes].map(([key, node]) => [key, node === undefined ? null : JSON.stringify(node)] as const);
  if (rows.length > 0)
    await client.query(
      `INSERT INTO runway.node SELECT $1, key, node, now() FROM unnest($2::text[], $3::text[]) AS told (key, node) ORDER BY key
       ON CONFLICT (control_plane, key) DO UPDATE SET node = excluded.node, at = excluded.at`,
      [id, rows.map(([key]) => key), rows.map(([, node]) => node)],
    );
  if (freed.length > 0)
    await client.query("UPDATE runway.claim SET owner = NULL, at = now() WHERE node_id = ANY($1::text[])", [freed]);
  // A name in a certificate speaks for its node whoever claimed the id before (see node-identity.ts of sync).
  if (claims.size > 0)
    await client.query(
      `INSERT INTO runway.claim SELECT id, owner, now() FROM unnest($1::text[], $2::text[]) AS told (id, owner) ORDER BY id
       ON CONFLICT (node_id) DO UPDATE SET owner = excluded.owner, at = excluded.at
       WHERE claim.owner IS NULL OR excluded.owner LIKE 'spiffe:%'`,
      [[...claims.keys()], [...claims.values()]],
    );
}

async function hear(client: ClientBase, id: string, since: number): Promise<FleetNews> {
  const planes = await client.query(
    `SELECT id, address, greatest(0, extract(epoch FROM now() - seen_at) * 1000)::float8 AS silent_ms
     FROM runway.control_plane WHERE id <> $1 ORDER BY id`,
    [id],
  );
  const nodes = await client.query(
    `SELECT control_plane, key, node FROM runway.node
     WHERE control_plane <> $1 AND at > to_timestamp($2::float8 / 1000) AND (node IS NOT NULL OR $2 > 0)`,
    [id, since],
  );
  const claims = await client.query(
    "SELECT node_id, owner FROM runway.claim WHERE at > to_timestamp($1::float8 / 1000) AND (owner IS NOT NULL OR $1 > 0)",
    [since],
  );
  const { rows: clock } = await client.query("SELECT (extract(epoch FROM now()) * 1000)::float8 AS now");
  return {
    asOf: clock[0].now,
    controlPlanes: planes.rows.map(({ id, address, silent_ms: silentMs }) => ({ id, address, silentMs })),
    nodes: nodes.rows.map(({ control_plane: controlPlane, key, node }) => ({
      ...{ controlPlane, key },
      node: node === null ? undefined : JSON.parse(node),
    })),
    claims: claims.rows.map(({ node_id: nodeId, owner }) => ({ nodeId, owner: owner ?? undefined })),
  };
}
