import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { Cluster, type Member } from "../support/cluster.ts";
import { writeConcurrently } from "../support/concurrent-writers.ts";
import { eventually } from "../support/eventually.ts";
import { PostgresServer, postgresMissing } from "../support/postgres-server.ts";
import { assertNeverWentBack, versionsGoneLive } from "../support/versions-gone-live.ts";

/** `RUNWAY_SCALE=full` takes the numbers that are promised; without it less, so that it is over sooner. */
const IS_FULL = process.env.RUNWAY_SCALE === "full";
const COMMITS = IS_FULL ? 2_000 : 120;
const STOPPED_MS = IS_FULL ? 60_000 : 3_000;

describe("what may happen to one of several control planes", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    backends: [{ url: "http://127.0.0.1:9" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  const startPair = async () => {
    const store = await server.newDatabase();
    const cluster = await Cluster.start(documentOf("/start"), 0, { controlPlanes: 2, store });
    const [one, two] = cluster.controlPlanes as [Member, Member];
    const query = (sql: string) => server.query(new URL(store).pathname.slice(1), sql);
    return { cluster, one, two, query };
  };

  const reach = (node: Member, version: number, withinMs?: number) =>
    eventually(
      `${node.name} has version ${version}`,
      async () => (await node.status()).config_version === version,
      withinMs,
    );

  it(`${COMMITS} commits of 16 writers on both: each its own version, every node ends on the last, none went back`, async () => {
    const { cluster, one, two, query } = await startPair();
    await using _ = cluster;
    const nodes = [
      await cluster.addDataPlane("dp-1", { controlPlanes: [one, two] }),
      await cluster.addDataPlane("dp-2", { controlPlanes: [two, one] }),
      await cluster.addDataPlane("dp-3", { controlPlanes: [two] }),
    ];
    for (const node of nodes) await reach(node, 1);
    const versions = await writeConcurrently(cluster, { writers: 16, commits: COMMITS }, documentOf);
    const expected = Array.from({ length: COMMITS }, (_, index) => index + 2);
    assert.deepEqual(versions, expected);
    const stored = await query("SELECT version FROM runway.revision ORDER BY version");
    assert.deepEqual(
      stored.map(({ version }) => Number(version)),
      [1, ...expected],
    );
    for (const node of nodes) await reach(node, COMMITS + 1);
    const hashes = await Promise.all(nodes.map(async (node) => (await node.status()).config_hash_hex));
    assert.equal(new Set(hashes).size, 1);
    for (const member of [...nodes, one, two]) assertNeverWentBack(member);
  });

  it("killed between its commit and its fan-out: the other's nodes have the change, and so have its own, which move", async () => {
    const { cluster, one, two, query } = await startPair();
    await using _ = cluster;
    const own = await cluster.addDataPlane("dp-own", { controlPlanes: [one, two] });
    const others = await cluster.addDataPlane("dp-others", { controlPlanes: [two] });
    for (const node of [own, others]) await reach(node, 1);
    // The commit is on its way in the database, and its answer takes so long that nobody is there to hear it.
    await query(`CREATE FUNCTION runway.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(1); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON runway.revision DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION runway.dawdle()`);
    const answer = cluster.push(documentOf("/after"), "", one).catch(() => undefined);
    await eventually("the commit is on its way", async () => {
      const busy = await query("SELECT 1 FROM pg_stat_activity WHERE query = 'COMMIT' AND state = 'active'");
      return busy.length > 0;
    });
    await one.process.end("SIGKILL");
    await answer;
    for (const node of [others, own]) await reach(node, 2);
    assert.equal((await own.status()).cp_address, `127.0.0.1:${cluster.clusterPortOf(two)}`);
    for (const node of [own, others]) assert.deepEqual(versionsGoneLive(node), [1, 2]);
  });

  it("stopped while the other commits, then continued: nothing goes back anywhere", async () => {
    const { cluster, one, two } = await startPair();
    await using _ = cluster;
    const own = await cluster.addDataPlane("dp-own", { controlPlanes: [one, two] });
    const others = await cluster.addDataPlane("dp-others", { controlPlanes: [two, one] });
    for (const node of [own, others]) await reach(node, 1);
    one.process.signal("SIGSTOP");
    const continueAtMs = performance.now() + STOPPED_MS;
    for (let number = 2; number <= 6; number += 1)
      assert.equal((await cluster.push(documentOf(`/v${number}`), "", two)).status, 200);
    await reach(others, 6);
    await pause(Math.max(0, continueAtMs - performance.now()));
    one.process.signal("SIGCONT");
    await reach(own, 6);
    assert.equal((await cluster.push(documentOf("/v7"), "", one)).status, 200);
    for (const node of [own, others]) await reach(node, 7);
    for (const member of [own, others, one, two]) assertNeverWentBack(member);
  });
});
