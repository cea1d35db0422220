import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { describe, it } from "node:test";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { startOrigin } from "../support/origin.ts";

interface Problem {
  readonly kind?: string;
  readonly id?: string;
  readonly message: string;
}

describe("a configuration that one data plane cannot apply", () => {
  it("changes nothing there, is shown with its reason, is applied elsewhere, and comes about once it can", async () => {
    await using origin = await startOrigin();
    const port = await freePort();
    const routes = (id: string) => `routes:\n  - { id: ${id}, path: /${id}, backends: [{ url: ${origin.url} }] }\n`;
    // All nodes of this test share one host: the control plane proxies nothing, and the second data plane has a listener
    // `extra` of its own, which wins over the control plane's.
    await using cluster = await Cluster.start(`workers: 0\n${routes("old")}`);
    const refusing = await cluster.addDataPlane("dp-1");
    const own = `listeners:\n  - { id: http, address: "127.0.0.1:0" }\n  - { id: extra, address: "127.0.0.1:0" }\n`;
    const applying = await cluster.addDataPlane("dp-2", { listeners: own });
    await cluster.inSync();

    const squatter = createServer().listen(port, "127.0.0.1");
    await once(squatter, "listening");
    const before = await cluster.version();
    const listener = `listeners:\n  - { id: extra, address: "127.0.0.1:${port}" }\n`;
    const answer = await cluster.push(`${listener}${routes("new")}`, "?wait=applied&timeout=1s");
    assert.equal(answer.status, 202, "it is committed, and not everywhere yet");

    const refused = await eventually("the refusal is shown", async () => {
      const row = await cluster.node("dp-1");
      const refused = row?.refused as { problems: Problem[] } | null | undefined;
      return refused?.problems.some(({ kind, id }) => kind === "listener" && id === "extra") ? row : undefined;
    });
    assert.equal(refused.in_sync, false);
    assert.equal(refused.config_version, before);
    assert.match(JSON.stringify(refused.refused), new RegExp(`127\\.0\\.0\\.1:${port}`));
    assert.equal((await refusing.get("/old")).status, 200);
    assert.equal((await refusing.get("/new")).status, 404);
    await eventually("the other has applied it", async () => (await cluster.node("dp-2"))?.in_sync === true);
    assert.equal((await applying.get("/new")).status, 200);

    squatter.close();
    await cluster.inSync();
    assert.equal((await refusing.get("/new")).status, 200);
    assert.equal((await fetch(`http://127.0.0.1:${port}/new`)).status, 200);
  });
});
