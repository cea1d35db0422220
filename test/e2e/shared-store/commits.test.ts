import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../../support/cluster.ts";
import { eventually } from "../../support/eventually.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { PostgresServer, postgresMissing } from "../../support/postgres-server.ts";

describe("two control planes on one PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  let origin: Origin;
  let cluster: Cluster;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    path_prefix: true\n    backends: [{ url: "${origin.url}" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
    origin = await startOrigin();
    // The second is told of nothing, as behind a connection pooler, and finds out by looking.
    cluster = await Cluster.start(documentOf("/v1"), 0, {
      controlPlanes: 2,
      store: await server.newDatabase(),
      postgres: ["listen: true", "listen: false"],
    });
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it("a commit on either reaches the nodes of both, whether its control plane is told of it or not", async () => {
    const [one, two] = cluster.controlPlanes as [Member, Member];
    const nodes = [
      await cluster.addDataPlane("dp-1", { controlPlanes: [one] }),
      await cluster.addDataPlane("dp-2", { controlPlanes: [two] }),
    ];
    for (const [version, path, writer] of [
      [2, "/v2", one],
      [3, "/v3", two],
    ] as const) {
      assert.equal((await cluster.push(documentOf(path), "", writer)).status, 200);
      for (const node of nodes) {
        const status = await eventually(`${node.name} has version ${version}`, async () => {
          const now = await node.status();
          return now.config_version === version ? now : undefined;
        });
        assert.equal((await node.get(path)).status, 200);
        assert.equal(status.connected, true);
      }
    }
    const [first, second] = await Promise.all(nodes.map((node) => node.status()));
    assert.equal(first!.config_hash_hex, second!.config_hash_hex);
    assert.equal(first!.epoch, second!.epoch);
  });

  it("a node id that was claimed at one is not given to another key at the other", async () => {
    const [one, two] = cluster.controlPlanes as [Member, Member];
    const plain = (name: string) => cluster.authority.issue(name, { commonName: name });
    const claimed = async (member: Member) => {
      const rows = (await cluster.nodes(member)).filter(({ node_id }) => node_id === "dp-3");
      return rows.map(({ status }) => status).sort();
    };
    await cluster.addDataPlane("dp-3", { controlPlanes: [one], certificate: await plain("first") });
    await eventually("the claim is known", async () => (await claimed(two)).length === 1);
    const thief = await cluster.addDataPlane("dp-3", { controlPlanes: [two], certificate: await plain("second") });
    await thief.process.logged("The control plane could not be reached or did not accept this node");
    assert.equal((await thief.status()).connected, false);
    for (const member of [one, two])
      await eventually(`${member.name} shows both`, async () => {
        assert.deepEqual(await claimed(member), ["connected", "rejected"]);
        return true;
      });
  });

  it("a control plane whose file differs takes the store's configuration, not its file's", async () => {
    const [, two] = cluster.controlPlanes as [Member, Member];
    assert.equal((await cluster.push(documentOf("/pushed"))).status, 200);
    const version = await cluster.version();
    await two.restart();
    const yaml = await (await two.admin("/api/v1/config")).text();
    assert.match(yaml, /path: \/pushed/);
    assert.equal(await cluster.version(), version);
  });
});
