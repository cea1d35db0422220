import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member, type NodeRow } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { PostgresServer, postgresMissing } from "../support/postgres-server.ts";

describe("two control planes on one PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  let origin: Origin;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    path_prefix: true\n    backends: [{ url: "${origin.url}" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
    origin = await startOrigin();
  });
  after(async () => {
    await origin[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const startPair = async (postgres = "") =>
    Cluster.start(documentOf("/v1"), 0, { controlPlanes: 2, store: await server.newDatabase(), postgres });

  for (const [how, postgres] of [
    ["told of it", ""],
    ["told of nothing, as behind a connection pooler", "listen: false"],
  ] as const)
    it(`a commit on either reaches the nodes of both, ${how}`, async () => {
      await using cluster = await startPair(postgres);
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

  it("each shows the whole fleet, where each node is connected, and the one that died as such", async () => {
    await using cluster = await startPair();
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
        const rows = ["dp-1", "dp-2", "dp-3", "dp-4"].map((id) =>
          describeNode({
            node_id: id,
            status: "connected",
            in_sync: true,
            control_plane: elsewhere.some((one) => one === id),
          }),
        );
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

  it("a node id that was claimed at one is not given to another key at the other", async () => {
    await using cluster = await startPair();
    const [one, two] = cluster.controlPlanes as [Member, Member];
    const plain = (name: string) => cluster.authority.issue(name, { commonName: name });
    await cluster.addDataPlane("dp-1", { controlPlanes: [one], certificate: await plain("first") });
    await eventually("the claim is known", async () => (await cluster.nodes(two)).length === 1);
    const thief = await cluster.addDataPlane("dp-1", { controlPlanes: [two], certificate: await plain("second") });
    await thief.process.logged("The control plane could not be reached or did not accept this node");
    assert.equal((await thief.status()).connected, false);
    for (const member of [one, two])
      await eventually(`${member.name} shows both`, async () => {
        const statuses = (await cluster.nodes(member)).map(({ status }) => status).sort();
        assert.deepEqual(statuses, ["connected", "rejected"]);
        return true;
      });
  });

  it("a control plane whose file differs takes the store's configuration, not its file's", async () => {
    await using cluster = await startPair();
    await cluster.push(documentOf("/pushed"));
    const [, two] = cluster.controlPlanes as [Member, Member];
    await two.restart();
    const yaml = await (await two.admin("/api/v1/config")).text();
    assert.match(yaml, /path: \/pushed/);
    assert.equal(await cluster.version(), 2);
  });

  it("without the database they serve what they have, to new nodes too, say so, refuse changes, and go on by themselves", async () => {
    await using own = await PostgresServer.start();
    const store = await own.newDatabase();
    await using cluster = await Cluster.start(documentOf("/v1"), 1, { controlPlanes: 2, store });
    const health = async (member: Member) => (await (await member.admin("/health")).json()) as Health;
    await own.stop();
    for (const member of cluster.controlPlanes) {
      await member.process.logged("The store is away: nodes are served on, and changes are refused");
      const answer = await health(member);
      assert.deepEqual([answer.status, answer.checks.store.status], ["degraded", "degraded"]);
      assert.match(answer.checks.store.detail, /cannot be used: .*Changes are refused/);
      const ready = await member.admin("/ready");
      assert.equal(ready.status, 200);
      assert.match(((await ready.json()) as { degraded: string[] }).degraded[0]!, /^store: /);
      assert.match(await (await member.admin("/metrics")).text(), /^runway_store_available 0$/m);
    }
    const refused = await cluster.push(documentOf("/v2"));
    assert.equal(refused.status, 503);
    const problem = (await refused.json()) as { code: string; detail: string };
    assert.equal(problem.code, "RW_STORE_UNAVAILABLE");
    assert.match(problem.detail, /^The PostgreSQL database test_1 at .* cannot be used/);
    assert.match(await (await cluster.controlPlane.admin("/api/v1/config")).text(), /path: \/v1/);

    const newcomer = await cluster.addDataPlane("dp-new");
    await newcomer.ready();
    assert.equal((await newcomer.get("/v1")).status, 200);
    await cluster.dataPlanes[0]!.restart();
    assert.equal((await cluster.dataPlanes[0]!.get("/v1")).status, 200);

    await own.resume();
    for (const member of cluster.controlPlanes) await member.process.logged("The store is there again");
    assert.equal((await cluster.push(documentOf("/v2"))).status, 200);
    assert.equal(await cluster.version(), 2);
    for (const node of cluster.dataPlanes)
      await eventually(`${node.name} has the change`, async () => (await node.get("/v2")).status === 200);
    assert.equal((await health(cluster.controlPlane)).checks.store.status, "ok");
  });
});

function describeNode(
  row: Pick<NodeRow, "node_id" | "status" | "in_sync"> & { readonly [field: string]: unknown },
): string {
  const where = row.control_plane === null || row.control_plane === false ? "here" : "elsewhere";
  return `${row.node_id} ${row.status} ${row.in_sync ? "in sync" : "behind"} ${where}`;
}

interface Health {
  readonly status: string;
  readonly checks: { readonly store: { readonly status: string; readonly detail: string } };
}
