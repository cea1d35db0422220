import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../../support/cluster.ts";
import { eventually } from "../../support/eventually.ts";
import { type Origin, startOrigin } from "../../support/origin.ts";
import { PostgresServer, postgresMissing } from "../../support/postgres-server.ts";

/** One story, step by step. */
describe("two control planes without their PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;
  let origin: Origin;
  let cluster: Cluster;
  const documentOf = (path: string) =>
    `routes:\n  - id: api\n    path: ${path}\n    path_prefix: true\n    backends: [{ url: "${origin.url}" }]\n`;

  before(async () => {
    server = await PostgresServer.start();
    origin = await startOrigin();
    const store = await server.newDatabase();
    cluster = await Cluster.start(documentOf("/v1"), 1, { controlPlanes: 2, store });
    await server.stop();
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const health = async (member: Member) => (await (await member.admin("/health")).json()) as Health;

  it("say so, and are ready all the same", async () => {
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
  });

  it("refuse changes, and show what they have", async () => {
    const refused = await cluster.push(documentOf("/v2"));
    assert.equal(refused.status, 503);
    const problem = (await refused.json()) as { code: string; detail: string };
    assert.equal(problem.code, "RW_STORE_UNAVAILABLE");
    assert.match(problem.detail, /^The PostgreSQL database test_1 at .* cannot be used/);
    assert.match(await (await cluster.controlPlane.admin("/api/v1/config")).text(), /path: \/v1/);
  });

  it("give nodes what they have, also those that are new or start again", async () => {
    const newcomer = await cluster.addDataPlane("dp-new");
    await newcomer.ready();
    assert.equal((await newcomer.get("/v1")).status, 200);
    const [first] = cluster.dataPlanes as [Member];
    await first.restart();
    assert.equal((await first.get("/v1")).status, 200);
  });

  it("wait for it when they start, say so, and end when they are told to", async () => {
    const [, two] = cluster.controlPlanes as [Member, Member];
    for (const ends of [true, false]) {
      await two.process.end("SIGKILL");
      two.begin();
      const { reason } = await two.process.logged("The store cannot be opened yet; trying again");
      assert.match(String(reason), /^The PostgreSQL database test_1 at .* nothing listens there; start it/);
      if (ends) await two.process.end("SIGTERM");
    }
    // A second look, so that it is not given up after the first.
    await eventually("it tries again", () => {
      const tries = two.process.lines.filter(({ msg }) => msg === "The store cannot be opened yet; trying again");
      return tries.length > 1;
    });
  });

  it("go on by themselves when it is there again, and nothing was lost or made twice", async () => {
    await server.resume();
    const [one, two] = cluster.controlPlanes as [Member, Member];
    await one.process.logged("The store is there again");
    await two.started();
    assert.equal((await cluster.push(documentOf("/v2"))).status, 200);
    assert.equal(await cluster.version(), 2);
    for (const node of cluster.dataPlanes)
      await eventually(`${node.name} has the change`, async () => (await node.get("/v2")).status === 200);
    assert.equal((await health(cluster.controlPlane)).checks.store.status, "ok");
  });
});

interface Health {
  readonly status: string;
  readonly checks: { readonly store: { readonly status: string; readonly detail: string } };
}
