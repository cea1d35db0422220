import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster } from "../../support/cluster.ts";
import { eventually } from "../../support/eventually.ts";
import { PostgresRelay } from "../../support/postgres-relay.ts";
import { PostgresServer, postgresMissing } from "../../support/postgres-server.ts";

/** The connection to the database breaks in the one moment when nobody can know what became of the change. */
describe("a commit whose connection breaks", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  let relay: PostgresRelay;
  let cluster: Cluster;
  let database: string;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    backends: [{ url: "http://127.0.0.1:9" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
    relay = await PostgresRelay.start(server.port);
    const store = new URL(await server.newDatabase());
    database = store.pathname.slice(1);
    store.port = String(relay.port);
    cluster = await Cluster.start(documentOf("/start"), 0, { store: store.href });
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await relay[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const query = (sql: string) => server.query(database, sql);
  const stored = async () => {
    const rows = await query("SELECT version FROM runway.revision ORDER BY version");
    return rows.map(({ version }) => Number(version));
  };
  const push = async (path: string) => {
    const answer = await cluster.push(documentOf(path));
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  };

  it("on the way there: it is said that nothing was stored, and to try again stores it once", async () => {
    const broken = relay.breakNextCommit("lost");
    const { status, body } = await push("/lost");
    await broken;
    assert.deepEqual([status, body.code], [503, "RW_STORE_UNAVAILABLE"]);
    assert.match(String(body.detail), /was not stored\. Try again/);
    assert.deepEqual(await stored(), [1]);
    assert.equal((await push("/lost")).body.Version, 2);
    assert.deepEqual(await stored(), [1, 2]);
  });

  it("on the way back: it is looked for, waited for while the database works on it, and answered as stored", async () => {
    await query(`CREATE FUNCTION runway.dawdle() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.5); RETURN NULL; END';
      CREATE CONSTRAINT TRIGGER dawdle AFTER INSERT ON runway.revision DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION runway.dawdle()`);
    const broken = relay.breakNextCommit("unanswered");
    const { status, body } = await push("/unanswered");
    await broken;
    assert.deepEqual([status, body.Version], [200, 3], JSON.stringify(body));
    assert.deepEqual(await stored(), [1, 2, 3]);
    await query("DROP TRIGGER dawdle ON runway.revision");
  });

  it("with no way to look: it is said that nobody knows, and found out later; the same again makes nothing new", async () => {
    const broken = relay.breakNextCommit("unanswered", true);
    const { status, body } = await push("/unknown");
    await broken;
    assert.deepEqual([status, body.code], [504, "RW_COMMIT_UNCERTAIN"], JSON.stringify(body));
    assert.match(String(body.detail), /may be there or not\. Look at the newest version/);
    relay.open();
    await eventually("the version is found", async () => (await cluster.version()) === 4);
    assert.equal((await push("/unknown")).body.Version, 4);
    assert.deepEqual(await stored(), [1, 2, 3, 4]);
    assert.equal((await push("/after")).body.Version, 5);
  });
});
