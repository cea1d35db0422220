import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../support/cluster.ts";
import { type Origin, startOrigin } from "../support/origin.ts";

describe("a control plane that starts again", () => {
  let origin: Origin;
  let cluster: Cluster;
  let node: Member;
  const route = (id: string) => `  - { id: ${id}, path: /${id}, backends: [{ url: ${origin.url} }] }\n`;
  const BASE = ["one", "two", "three", "four", "five", "six"];
  const document = (...ids: string[]) => `routes:\n${ids.map(route).join("")}`;

  before(async () => {
    origin = await startOrigin();
    cluster = await Cluster.start(document(...BASE), 1);
    node = cluster.dataPlanes[0]!;
    await cluster.inSync();
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  /** Configurations that the node's process was given, by how they came. */
  async function given(): Promise<Record<string, number>> {
    const metrics = await (await node.admin("/metrics")).text();
    const lines = metrics.matchAll(/^runway_sync_configurations_total\{form="(\w+)"\} (\d+)/gm);
    return Object.fromEntries([...lines].map(([, form, count]) => [form, Number(count)]));
  }

  it("sends nothing to a node that is level", async () => {
    const before = await given();
    await cluster.controlPlane.process.end("SIGKILL");
    await cluster.startControlPlane();
    await cluster.inSync();
    assert.deepEqual(await given(), before);
  });

  it("sends a node that is some versions behind what changed, and no more", async () => {
    await node.process.end("SIGKILL");
    for (const id of ["seven", "eight"]) await cluster.push(document(...BASE, id));
    await cluster.controlPlane.process.end("SIGKILL");
    await cluster.startControlPlane();
    await node.restart();
    await cluster.inSync();
    assert.deepEqual(await given(), { delta: 1 });
    assert.equal((await node.get("/eight")).status, 200);
    assert.equal((await node.get("/seven")).status, 404);
  });

  it("sends what changed in its file meanwhile, and no more", async () => {
    const before = await given();
    await cluster.controlPlane.process.end("SIGKILL");
    appendFileSync(cluster.controlPlaneFile, route("from-the-file"));
    await cluster.startControlPlane();
    await cluster.inSync();
    assert.equal((await node.get("/from-the-file")).status, 200);
    assert.deepEqual(await given(), { delta: before.delta! + 1 });
  });
});
