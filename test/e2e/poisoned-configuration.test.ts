import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Cluster, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startOrigin } from "../support/origin.ts";

const folder = mkdtempSync(join(tmpdir(), "runway-poison-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A plugin that ends the process that makes it, once its fuse is lit. */
const BOMB = join(folder, "bomb.ts");
writeFileSync(
  BOMB,
  `import { existsSync } from "node:fs";
import { definePlugin } from "${new URL("../../src/sdk/index.ts", import.meta.url)}";
import { z } from "${import.meta.resolve("zod")}";
export const bomb = definePlugin({
  name: "bomb",
  config: z.strictObject({ fuse: z.string() }),
  create: ({ fuse }) => {
    if (existsSync(fuse)) process.kill(process.pid, "SIGKILL");
    return {};
  },
});
`,
);
const EXTENSIONS = `extensions: ["${BOMB}"]\n`;

describe("a configuration that ends the process that runs it", () => {
  /** Processes that ended before one stayed. */
  async function deathsUntilUp(member: Member): Promise<number> {
    for (let deaths = 0; ; deaths += 1) {
      assert.ok(deaths < 10, "it ends again and again");
      member.begin();
      const isUp = await Promise.race([
        member.started().then(() => true),
        member.process.exited().then(() => false),
      ]).catch(() => false);
      if (isUp) return deaths;
    }
  }

  async function clusterWith(routes: string) {
    const cluster = await Cluster.start(`workers: 0\n${EXTENSIONS}${routes}`);
    const node = await cluster.addDataPlane("dp-1", { extensions: EXTENSIONS });
    await cluster.inSync();
    return { cluster, node };
  }

  const refusalOf = (cluster: Cluster) =>
    eventually("its control plane knows why", async () => (await cluster.node("dp-1"))?.refused ?? undefined);

  it("is set aside: the node serves the one before it, says so, does not take it again, and takes the next", async () => {
    await using origin = await startOrigin();
    const fuse = join(folder, "fuse-1");
    const route = (id: string, more = "") =>
      `  - { id: ${id}, path: /${id}, backends: [{ url: "${origin.url}" }]${more} }\n`;
    const { cluster, node } = await clusterWith(`routes:\n${route("old")}`);
    await using _ = cluster;
    assert.equal((await cluster.push(`routes:\n${route("bad", `, bomb: { fuse: ${fuse} }`)}`)).status, 200);
    await cluster.inSync();

    writeFileSync(fuse, "");
    await node.process.end("SIGKILL");
    assert.equal(await deathsUntilUp(node), 2, "going live with it was the first of three");
    assert.equal((await node.get("/old")).status, 200);
    assert.match(JSON.stringify(await refusalOf(cluster)), /version 2 ended this process 3 times/);
    assert.match(await (await node.admin("/ready")).text(), /version 2 ended this process 3 times/);
    await node.process.logged("A kept configuration is set aside");
    assert.equal((await node.get("/old")).status, 200);

    assert.equal((await cluster.push(`routes:\n${route("good")}`)).status, 200);
    await cluster.inSync();
    assert.equal((await node.get("/good")).status, 200);
  });

  it("is not tried for ever where there is no other: the node waits for its control plane to have one", async () => {
    await using origin = await startOrigin();
    const fuse = join(folder, "fuse-2");
    const bad = `routes: [{ id: bad, path: /bad, bomb: { fuse: ${fuse} }, backends: [{ url: "${origin.url}" }] }]\n`;
    const { cluster, node } = await clusterWith(bad);
    await using _ = cluster;

    writeFileSync(fuse, "");
    await node.process.end("SIGKILL");
    assert.equal(await deathsUntilUp(node), 2);
    assert.equal((await node.status()).has_config, false);
    assert.match(JSON.stringify(await refusalOf(cluster)), /version 1 ended this process 3 times/);
    const ready = await node.admin("/ready");
    assert.equal(ready.status, 503);
    assert.match(await ready.text(), /version 1 ended this process 3 times/);

    assert.equal((await cluster.push(bad.replaceAll("bad", "good").replace(/bomb: {[^}]*},/, ""))).status, 200);
    await cluster.inSync();
    assert.equal((await node.get("/good")).status, 200);
  });
});
