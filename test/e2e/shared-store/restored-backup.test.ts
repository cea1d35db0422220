import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../../support/cluster.ts";
import { eventually } from "../../support/eventually.ts";
import { PostgresServer, postgresMissing } from "../../support/postgres-server.ts";

describe("a store that is restored from a backup", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    backends: [{ url: "http://127.0.0.1:9" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  it("is taken by nodes that have newer versions, when it was given a new epoch as the guide says", async () => {
    const store = await server.newDatabase();
    const database = new URL(store).pathname.slice(1);
    await using cluster = await Cluster.start(documentOf("/kept"), 1, { store });
    const [node] = cluster.dataPlanes as [Member];
    const { controlPlane } = cluster;
    await controlPlane.process.end();
    await server.query("postgres", `CREATE DATABASE backup TEMPLATE ${database}`);
    controlPlane.begin();
    await controlPlane.started();
    for (const path of ["/lost-1", "/lost-2"]) assert.equal((await cluster.push(documentOf(path))).status, 200);
    const runs = (version: number) =>
      eventually(`the node runs version ${version}`, async () => (await node.status()).config_version === version);
    await runs(3);

    await controlPlane.process.end();
    await server.query("postgres", `DROP DATABASE ${database}`);
    await server.query("postgres", `CREATE DATABASE ${database} TEMPLATE backup`);
    await server.query(database, "UPDATE runway.head SET epoch = gen_random_uuid()");
    controlPlane.begin();
    await controlPlane.started();
    await runs(1);
    assert.match(await (await controlPlane.admin("/api/v1/config")).text(), /path: \/kept/);
    assert.equal((await cluster.push(documentOf("/after"))).status, 200);
    await runs(2);
  });
});
