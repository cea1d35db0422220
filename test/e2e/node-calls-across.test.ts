import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { PostgresServer, postgresMissing } from "../support/postgres-server.ts";

const DOCUMENT = `routes:\n  - id: api\n    path: /api\n    backends: [{ url: "http://127.0.0.1:9" }]\n`;

describe("a node of another control plane on one PostgreSQL", { skip: postgresMissing() ?? false }, () => {
  let server: PostgresServer;

  before(async () => {
    server = await PostgresServer.start();
  });
  after(() => server[Symbol.asyncDispose]());

  for (const [how, postgres] of [
    ["told of it", ""],
    ["told of nothing, as behind a connection pooler", "listen: false"],
  ] as const)
    it(`is called as if it were here, its control plane ${how}`, async () => {
      const options = { controlPlanes: 2, store: await server.newDatabase(), postgres };
      await using cluster = await Cluster.start(DOCUMENT, 0, options);
      const [one, two] = cluster.controlPlanes as [Member, Member];
      const node = await cluster.addDataPlane("dp-1", { controlPlanes: [two] });
      const ask = async (method: string, path: string, by = one) => {
        const answer = await by.admin(`/api/v1/data-planes/dp-1/${path}`, { method });
        return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
      };
      await eventually("it is known at the other", async () => (await ask("GET", "about")).status === 200);
      assert.equal((await ask("GET", "about")).json.node_id, "dp-1");
      assert.equal((await ask("GET", "explain?url=/api")).json.route, "api");
      assert.equal((await ask("POST", "drain")).json.draining, true);
      assert.equal((await node.admin("/ready")).status, 503);
      const many = await Promise.all(Array.from({ length: 20 }, () => ask("GET", "counters")));
      assert.deepEqual(new Set(many.map(({ status }) => status)), new Set([200]));
      assert.equal((await ask("DELETE", "drain", two)).json.draining, false);

      two.process.signal("SIGSTOP"); // It still has the node, and answers nobody.
      const silent = await ask("GET", "about");
      assert.deepEqual([silent.status, silent.json.code], [502, "RW_NODE_CALL_FAILED"]);
      assert.match(String(silent.json.detail), /no answer within 5000 ms/);
      two.process.signal("SIGCONT");
      await eventually("it is reached again", async () => (await ask("GET", "about")).status === 200);
    });
});
