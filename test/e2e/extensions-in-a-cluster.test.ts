import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startOrigin } from "../support/origin.ts";

const folder = mkdtempSync(join(tmpdir(), "runway-extensions-"));
after(() => rmSync(folder, { recursive: true, force: true }));

/** A plugin from a file of the user's, with a kind of resource of its own. */
const STAMP = join(folder, "stamp.ts");
writeFileSync(
  STAMP,
  `import { definePlugin } from "${new URL("../../src/sdk/index.ts", import.meta.url)}";
import { z } from "${import.meta.resolve("zod")}";
export const stamp = definePlugin({
  name: "stamp",
  config: z.strictObject({ ink: z.string() }),
  resources: { ink: z.strictObject({ colour: z.string() }) },
  create: ({ ink }, host) => ({
    onResponse: (_, { headers }) => headers.set("X-Stamp", String(host.resource("ink", ink)?.colour)),
  }),
});
`,
);
const EXTENSIONS = `extensions: ["${STAMP}"]\n`;

describe("a plugin of the user's in a cluster", () => {
  it("is checked by the control plane and run by nodes that have it; others are not given what needs it, and go on", async () => {
    await using origin = await startOrigin();
    const route = (id: string, more = "") =>
      `routes:\n  - { id: ${id}, path: /${id}, backends: [{ url: "${origin.url}" }]${more} }\n`;
    await using cluster = await Cluster.start(`workers: 0\n${EXTENSIONS}${route("old")}`);
    const able = await cluster.addDataPlane("dp-1", { extensions: EXTENSIONS });
    const unable = await cluster.addDataPlane("dp-2");
    await cluster.inSync();
    const before = await cluster.version();

    const wrong = await cluster.push(route("new", ", stamp: { ink: black, inc: 1 }"));
    assert.equal(wrong.status, 400);
    assert.match(await wrong.text(), /routes\[0\]\.stamp\.inc.*unknown key `inc`; did you mean `ink`\?/);

    const stamped = `${route("new", ", stamp: { ink: black }")}inks: { black: { colour: "#000" } }\n`;
    assert.equal((await cluster.push(stamped)).status, 200);
    await eventually("the node with the plugin applies it", async () => (await cluster.node("dp-1"))?.in_sync);
    assert.equal((await able.get("/new")).headers.get("x-stamp"), "#000");

    const obstacle = await eventually(
      "the node without it is shown",
      async () => (await cluster.node("dp-2"))?.obstacle,
    );
    assert.match(String(obstacle), /stamp of route:new \(the node does not have the plugin stamp\)/);
    const row = await cluster.node("dp-2");
    assert.deepEqual([row?.in_sync, row?.config_version, row?.status], [false, before, "connected"]);
    assert.deepEqual([(await unable.get("/old")).status, (await unable.get("/new")).status], [200, 404]);

    assert.equal((await cluster.push(route("plain"))).status, 200);
    await cluster.inSync();
    assert.equal((await unable.get("/plain")).status, 200);
  });

  it("is not accepted by a control plane that does not have it", async () => {
    await using cluster = await Cluster.start("workers: 0\n");
    const answer = await cluster.push(
      'routes: [{ id: a, path: /, backends: [{ url: "http://x" }], stamp: { ink: a } }]',
    );
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /routes\[0\]\.stamp.*unknown key `stamp`/);
  });
});
