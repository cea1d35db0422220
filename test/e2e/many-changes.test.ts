import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { startLoad } from "../support/load.ts";

const CHANGES = 200;
/** Routes that the changes add, change and remove in turn. */
const CHANGING = 7;

/** A target that knows how many connections and requests it got, and answers with a status. */
async function startTarget(status: number) {
  const seen = { connections: 0, requests: 0, inFlight: 0 };
  const server = createServer({ keepAliveTimeout: 60_000 }, (_request, response) => {
    seen.requests += 1;
    seen.inFlight += 1;
    response.on("close", () => {
      seen.inFlight -= 1;
    });
    response.writeHead(status).end("hi");
  });
  server.on("connection", () => {
    seen.connections += 1;
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    seen,
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

describe("many changes of one route each, under load", () => {
  it("fail no request and leave limits, breakers, connections and counters of all else alone; a target that goes gets nothing more", async () => {
    await using steady = await startTarget(200);
    await using failing = await startTarget(500);
    await using leaving = await startTarget(200);
    const backends = (...urls: string[]) => `backends: [${urls.map((url) => `{ url: "${url}" }`).join(", ")}]`;
    await using cluster = await Cluster.start(
      `upstreams:
  pair: { ${backends(steady.url, leaving.url)} }
routes:
  - { id: base, path: /base, ${backends(steady.url)} }
  - { id: pair, path: /pair, upstream: pair }
  - { id: limited, path: /limited, ${backends(steady.url)}, rate_limit: { rate: 3, period: 24h } }
  - id: broken
    path: /broken
    ${backends(failing.url)}
    circuit_breaker: { failure_threshold: 2, timeout: 1h }
`,
      1,
    );
    await cluster.inSync();
    const node = cluster.dataPlanes[0]!;
    const statuses = async (path: string, count: number) => {
      const got: number[] = [];
      for (let n = 0; n < count; n++) got.push((await node.get(path)).status);
      return got;
    };
    const change = async (method: "PUT" | "DELETE", path: string, body?: unknown) => {
      const init = { method, headers: { "content-type": "application/json" }, body: JSON.stringify(body) };
      const answer = await cluster.controlPlane.admin(`/api/v1${path}?wait=applied&timeout=20s`, init);
      assert.ok(answer.ok, `${method} ${path}: ${answer.status} ${await answer.text()}`);
    };
    assert.deepEqual(await statuses("/limited", 4), [200, 200, 200, 429]);
    assert.deepEqual(await statuses("/broken", 3), [500, 500, 503]);

    const loads = await Promise.all(["/base", "/pair"].map(async (path) => startLoad(await node.url(path))));
    await eventually("both targets have been asked", () => steady.seen.requests > 100 && leaving.seen.requests > 100);
    const before = { ...steady.seen };
    for (let n = 0; n < CHANGES; n++) {
      const path = `/routes/changing-${n % CHANGING}`;
      if (n % 3 === 2 && n >= CHANGING) await change("DELETE", path);
      else await change("PUT", path, { path: `/changing/${n}`, backends: [{ url: steady.url }] });
      if (n === CHANGES / 2) await change("PUT", "/upstreams/pair", { backends: [{ url: steady.url }] });
      if (n === CHANGES / 2) {
        await eventually("what was on its way to the target that went is answered", () => leaving.seen.inFlight === 0);
        leaving.seen.requests = 0;
      }
    }
    for (const load of loads) {
      const { sent, failures } = await load.stop();
      assert.deepEqual(failures, []);
      assert.ok(sent > 500, `only ${sent} requests were sent`);
    }
    assert.equal(leaving.seen.requests, 0, "the target that went was asked again");
    assert.deepEqual(await statuses("/limited", 1), [429], "the limit was forgotten");
    assert.deepEqual(await statuses("/broken", 1), [503], "the breaker was forgotten");
    assert.equal(failing.seen.requests, 2, "the target behind the breaker was asked again");
    // Two loads of four connections, and a request at a time by the test itself: what is kept is used again.
    assert.ok(steady.seen.connections <= before.connections + 9, JSON.stringify({ before, after: steady.seen }));
    const counted = /^runway_requests_total\{route="base",status="2xx"\} (\d+)$/m.exec(
      await (await node.admin("/metrics")).text(),
    );
    assert.ok(Number(counted?.[1]) > 500, "the counter of an unchanged route began anew");
  });
});
