import assert from "node:assert/strict";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startOrigin } from "../support/origin.ts";

describe("a secret reference", () => {
  it("is resolved on the node that uses it, and its value is nowhere else", async () => {
    await using origin = await startOrigin();
    const secret = `${origin.url}/tenant-9c41d7`;
    await using cluster = await Cluster.start("workers: 0\n");
    const knowing = await cluster.addDataPlane("dp-1", { env: { BACKEND: secret } });
    const ignorant = await cluster.addDataPlane("dp-2");
    await cluster.inSync();

    const yaml = `routes:\n  - id: hidden\n    path: /hidden\n    backends: [{ url: "\${env:BACKEND}" }]\n`;
    assert.equal((await cluster.push(yaml)).status, 200);
    await eventually("the node that has it applies it", async () => (await cluster.node("dp-1"))?.in_sync);
    const answer = (await (await knowing.get("/hidden")).json()) as { url: string };
    assert.equal(answer.url, "/tenant-9c41d7/hidden");

    const refused = await eventually(
      "the node that lacks it says so",
      async () => (await cluster.node("dp-2"))?.refused,
    );
    assert.match(JSON.stringify(refused), /the environment variable BACKEND is not set on this node/);
    assert.equal((await ignorant.get("/hidden")).status, 404);

    const shown = [];
    for (const path of ["/backends", "/routes", "/upstreams", "/cluster/status"])
      shown.push(await (await knowing.admin(path)).text());
    shown.push(await (await cluster.controlPlane.admin("/api/v1/config")).text());
    assert.match(shown.at(-1)!, /\$\{env:BACKEND\}/);
    const cache = join(cluster.directory, "dp-1-cache");
    for (const name of readdirSync(cache)) {
      shown.push(readFileSync(join(cache, name), "latin1"));
      assert.equal(statSync(join(cache, name)).mode & 0o077, 0, `others can read ${name}`);
    }
    for (const directory of [cache, join(cluster.directory, "cp-data")])
      assert.equal(statSync(directory).mode & 0o077, 0);
    shown.push(JSON.stringify([...knowing.process.lines, ...cluster.controlPlane.process.lines]));
    for (const text of shown) assert.ok(!text.includes("tenant-9c41d7"), text.slice(0, 500));
  });
});
