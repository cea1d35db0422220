import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/load.ts";
import { startOrigin } from "../support/origin.ts";

describe("static stability", () => {
  it("keeps data planes serving through the death of the control plane and a restart of their own, and loses no push", async () => {
    await using origin = await startOrigin();
    const route = (id: string) => `  - { id: ${id}, path: /${id}, backends: [{ url: ${origin.url} }] }\n`;
    await using cluster = await Cluster.start(`routes:\n${route("from-file")}`, 2);
    assert.equal((await cluster.push(`routes:\n${route("from-file")}${route("from-api")}`)).status, 200);
    await cluster.inSync();
    const [steady, restarted] = cluster.dataPlanes as [(typeof cluster.dataPlanes)[0], (typeof cluster.dataPlanes)[0]];
    const before = await hashAnswer(cluster);
    const { node_id } = await restarted.status();

    const load = startLoad(await steady.url("/from-api"));
    await cluster.controlPlane.process.end("SIGKILL");
    await eventually("the data plane notices", async () => (await steady.status()).connected === false);
    assert.equal((await steady.status()).has_config, true);

    await restarted.restart("SIGKILL");
    await restarted.ready();
    assert.equal((await restarted.get("/from-api")).status, 200);
    const away = await restarted.status();
    assert.equal(away.node_id, node_id);
    assert.equal(away.connected, false);
    assert.equal(away.has_config, true);
    assert.equal(away.config_version, before.version);

    await cluster.startControlPlane();
    assert.deepEqual(await hashAnswer(cluster), before);
    await cluster.inSync();
    const report = await load.stop();
    assert.deepEqual(report.failures, []);
    assert.ok(report.sent > 0);

    assert.equal((await cluster.push(`routes:\n${route("from-file")}${route("afterwards")}`)).status, 200);
    await cluster.inSync();
    assert.equal((await restarted.get("/afterwards")).status, 200);
  });

  async function hashAnswer(cluster: Cluster): Promise<Readonly<Record<string, unknown>>> {
    const { version, hash_hex, epoch } = (await (
      await cluster.controlPlane.admin("/api/v1/config/hash")
    ).json()) as Record<string, unknown>;
    return { version, hash_hex, epoch };
  }
});
