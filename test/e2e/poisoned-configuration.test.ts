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
    assert.equal(await deathsUntilUp(node), 4, "going live with it was the first of five");
    assert.equal((await node.get("/old")).status, 200);
    assert.match(JSON.stringify(await refusalOf(cluster)), /version 2 ended this process 5 times/);
    assert.match(await (await node.admin("/ready")).text(), /version 2 ended this process 5 times/);
    await node.process.logged("A kept configuration is set aside");
    assert.equal((await node.get("/old")).status, 200);

    assert.equal((await cluster.push(`routes:\n${route("good")}`)).status, 200);
    await cluster.inSync();
    assert.equal((await node.get("/good")).status, 200);
  });

  it("is started with all the same where there is no other, until it can run", async () => {
    await using origin = await startOrigin();
    const fuse = join(folder, "fuse-2");
    const { cluster, node } = await clusterWith(
      `routes: [{ id: bad, path: /bad, bomb: { fuse: ${fuse} }, backends: [{ url: "${origin.url}" }] }]\n`,
    );
    await using _ = cluster;
    await cluster.controlPlane.process.end("SIGKILL");
    await node.process.end("SIGKILL");

    writeFileSync(fuse, "");
    for (let deaths = 0; deaths < 6; deaths += 1) {
      node.begin();
      await node.process.exited();
    }
    rmSync(fuse);
    assert.equal(await deathsUntilUp(node), 0);
    assert.equal((await node.get("/bad")).status, 200);
  });

  it("is told from one that is killed from outside by nobody, so that a node serves after each of many kills", async () => {
    await using origin = await startOrigin();
    const { cluster, node } = await clusterWith(
      `routes: [{ id: r, path: /r, backends: [{ url: "${origin.url}" }] }]\n`,
    );
    await using _ = cluster;
    await cluster.controlPlane.process.end("SIGKILL");
    for (let kills = 0; kills < 7; kills += 1) {
      await node.process.end("SIGKILL");
      node.begin();
      await node.started();
      assert.equal((await node.get("/r")).status, 200);
    }
  });
});
