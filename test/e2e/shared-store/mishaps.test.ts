import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../../support/cluster.ts";
import { writeConcurrently } from "../../support/concurrent-writers.ts";
import { eventually } from "../../support/eventually.ts";
import { PostgresServer, postgresMissing } from "../../support/postgres-server.ts";
import { assertNeverWentBack } from "../../support/versions-gone-live.ts";

/** The same at full size is measured by `npm run bench -- control-plane`. */
const COMMITS = 80;

describe("what may happen to one of several control planes", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  let database: string;
  let cluster: Cluster;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    backends: [{ url: "http://127.0.0.1:9" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
    const store = await server.newDatabase();
    database = new URL(store).pathname.slice(1);
    cluster = await Cluster.start(documentOf("/start"), 0, { controlPlanes: 2, store });
    const [one, two] = cluster.controlPlanes as [Member, Member];
    await cluster.addDataPlane("dp-1", { controlPlanes: [one, two] });
    await cluster.addDataPlane("dp-2", { controlPlanes: [two, one] });
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const query = (sql: string) => server.query(database, sql);
  const reach = async (version: number, nodes = cluster.dataPlanes) => {
    for (const node of nodes)
      await eventually(`${node.name} has version ${version}`, async () => {
        return (await node.status()).config_version === version;
      });
  };
  const nobodyWentBack = () => {
    for (const member of [...cluster.dataPlanes, ...cluster.controlPlanes]) assertNeverWentBack(member);
  };

  it(`${COMMITS} commits of 16 writers on both: each its own version, every node ends on the last, none went back`, async () => {
    await reach(1);
    const versions = await writeConcurrently(cluster, { writers: 16, commits: COMMITS }, documentOf);
    const expected = Array.from({ length: COMMITS }, (_, index) => index + 2);
    assert.deepEqual(versions, expected);
    const stored = await query("SELECT version FROM runway.revision ORDER BY version");
    assert.deepEqual(
      stored.map(({ version }) => Number(version)),
      [1, ...expected],
    );
    await reach(COMMITS + 1);
    const hashes = await Promise.all(cluster.dataPlanes.map(async (node) => (await node.status()).config_hash_hex));
    assert.equal(new Set(hashes).size, 1);
    nobodyWentBack();
  });

  it("stopped while the other commits, then continued: nothing goes back anywhere", async () => {
    const [one, two] = cluster.controlPlanes as [Member, Member];
    const [own, others] = cluster.dataPlanes as [Member, Member];
    const version = await cluster.version();
    one.process.signal("SIGSTOP");
    for (let number = 1; number <= 5; number += 1)
      assert.equal((await cluster.push(documentOf(`/stopped-${number}`), "", two)).status, 200);
    await reach(version + 5, [others]);
    // Its own node was told nothing, or has given it up and moved; what it had it goes on with.
    assert.ok(Number((await own.status()).config_version) >= version);
    one.process.signal("SIGCONT");
    await reach(version + 5);
    assert.equal((await cluster.push(documentOf("/continued"), "", one)).status, 200);
    await reach(version + 6);
    nobodyWentBack();
  });

  it("killed between its commit and its fan-out: the other's nodes have the change, and so have its own, which move", async () => {
    const [one, two] = cluster.controlPlanes as [Member, Member];
    const version = await cluster.version();
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
    await reach(version + 1);
    for (const node of cluster.dataPlanes)
      assert.equal((await node.status()).cp_address, `127.0.0.1:${cluster.clusterPortOf(two)}`);
    for (const node of cluster.dataPlanes) assertNeverWentBack(node);
  });
});
