import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Cluster, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/load.ts";
import { startOrigin } from "../support/origin.ts";

describe("a change that comes from the control plane", () => {
  it("takes effect on running data planes without a failed request under load: route, listener and global setting", async () => {
    await using origin = await startOrigin();
    const route = (id: string) => `  - { id: ${id}, path: /${id}, backends: [{ url: ${origin.url} }] }\n`;
    const routes = `routes:\n${route("base")}`;
    await using cluster = await Cluster.start(routes, 2);
    await cluster.inSync();
    const loads = await Promise.all(cluster.dataPlanes.map(async (member) => startLoad(await member.url("/base"))));

    const withRoute = `${routes}${route("added")}`;
    await pushAndApply(cluster, withRoute);
    for (const member of cluster.dataPlanes) assert.equal((await member.get("/added")).status, 200);

    const withListener = `${withRoute}listeners:\n  - { id: second, address: "127.0.0.1:0" }\n`;
    await pushAndApply(cluster, withListener);
    for (const member of cluster.dataPlanes)
      assert.equal((await fetch(await member.url("/added", "second"))).status, 200);

    for (const member of cluster.dataPlanes) assert.equal(await forwardedFor(member), "127.0.0.1");
    await pushAndApply(cluster, `${withListener}trusted_proxies: { cidrs: [127.0.0.0/8] }\n`);
    for (const member of cluster.dataPlanes) assert.equal(await forwardedFor(member), "203.0.113.7, 127.0.0.1");

    await pushAndApply(cluster, routes);
    for (const member of cluster.dataPlanes) {
      assert.equal((await member.get("/added")).status, 404);
      const gone = async () => {
        const listeners = (await (await member.admin("/listeners")).json()) as { id: string }[];
        return !listeners.some(({ id }) => id === "second");
      };
      await eventually("the listener is gone", gone);
    }

    for (const load of loads) {
      const { sent, failures } = await load.stop();
      assert.deepEqual(failures, []);
      assert.ok(sent > 100, `only ${sent} requests were sent`);
    }
  });

  async function pushAndApply(cluster: Cluster, yaml: string): Promise<void> {
    const answer = await cluster.push(yaml, "?wait=applied&timeout=20s");
    assert.equal(answer.status, 200, await answer.text());
    await cluster.inSync();
  }

  /** What the origin is told about who asks, when a client names somebody else. */
  async function forwardedFor(member: Member): Promise<string | undefined> {
    const answer = await member.get("/base", { headers: { "x-forwarded-for": "203.0.113.7" } });
    return ((await answer.json()) as { headers: Record<string, string> }).headers["x-forwarded-for"];
  }
});
