import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member, type NodeRow } from "../../support/cluster.ts";
import { eventually } from "../../support/eventually.ts";
import { PostgresServer, postgresMissing } from "../../support/postgres-server.ts";

describe("the fleet of two control planes on one PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    backends: [{ url: "http://127.0.0.1:9" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  it("is shown whole by each, where each node is connected, and that of the one that died as such", async () => {
    const store = await server.newDatabase();
    await using cluster = await Cluster.start(documentOf("/v1"), 0, { controlPlanes: 2, store });
    const [one, two] = cluster.controlPlanes as [Member, Member];
    await cluster.addDataPlane("dp-1", { controlPlanes: [one] });
    await cluster.addDataPlane("dp-2", { controlPlanes: [two, one] });
    const lost = await cluster.addDataPlane("dp-3", { controlPlanes: [two] });
    await cluster.addDataPlane("dp-4", { controlPlanes: [two] });
    const seen = async (by: Member) => (await cluster.nodes(by)).map(describeNode);
    for (const [member, elsewhere] of [
      [one, ["dp-2", "dp-3", "dp-4"]],
      [two, ["dp-1"]],
    ] as const)
      await eventually(`${member.name} shows all`, async () => {
        const rows = ["dp-1", "dp-2", "dp-3", "dp-4"].map((id) => {
          const isElsewhere = elsewhere.some((other) => other === id);
          return describeNode({ node_id: id, status: "connected", in_sync: true, control_plane: isElsewhere });
        });
        assert.deepEqual(await seen(member), rows);
        return true;
      });
    assert.equal((await cluster.push(documentOf("/v2"), "?wait=applied&timeout=10s", one)).status, 200);
    for (const node of cluster.dataPlanes) assert.equal((await node.status()).config_version, 2);
    assert.equal((await two.admin("/cluster/nodes/dp-1", { method: "DELETE" })).status, 409);

    lost.process.signal("SIGSTOP"); // So that it cannot say goodbye, nor move.
    await two.process.end("SIGKILL");
    await eventually("dp-2 and dp-4, which had to learn where, moved, and nobody knows how dp-3 is", async () => {
      const rows = (await cluster.nodes(one)).map(({ node_id, status, control_plane }) => [
        node_id,
        status,
        control_plane !== null,
      ]);
      assert.deepEqual(rows, [
        ["dp-1", "connected", false],
        ["dp-2", "connected", false],
        ["dp-3", "stale", true],
        ["dp-4", "connected", false],
      ]);
      return true;
    });
  });
});

function describeNode(
  row: Pick<NodeRow, "node_id" | "status" | "in_sync"> & { readonly [field: string]: unknown },
): string {
  const where = row.control_plane === null || row.control_plane === false ? "here" : "elsewhere";
  return `${row.node_id} ${row.status} ${row.in_sync ? "in sync" : "behind"} ${where}`;
}
