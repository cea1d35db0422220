import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { test } from "node:test";
import { setTimeout as delay } from "node:timers/promises";
import { runFixedRate } from "./fixed-rate.ts";

const signal = new AbortController().signal;

async function measured(answer: RequestListener) {
  const server = createServer(answer).listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    return await runFixedRate(
      { port, path: "/", connections: 2, ratePerSecond: 200, seconds: 0.5, warmUpSeconds: 0 },
      signal,
    );
  } finally {
    server.close();
    server.closeAllConnections();
  }
}

test("as many requests are asked as the rate and the time make, and each is answered once", async () => {
  let asked = 0;
  const report = await measured((_, response) => {
    asked += 1;
    response.end("x");
  });
  assert.equal(report.requests, 100);
  assert.equal(asked, 100);
  assert.deepEqual(report.failures, {});
});

test("a pause of the server shows in every request that was due meanwhile, not only in those it held back", async () => {
  let pause: Promise<void> | undefined;
  const report = await measured((_, response) => {
    pause ??= delay(300);
    void pause.then(() => response.end("x"));
  });
  assert.equal(report.requests, 100);
  // Of 100 requests over half a second, those of the first 250 ms waited 50 ms or more, however few connections there are.
  assert.ok(report.p50Ms >= 45, `half of them took ${report.p50Ms} ms or more`);
});

test("a bad status is a failure and not a fast answer", async () => {
  let asked = 0;
  const report = await measured((_, response) => {
    asked += 1;
    response.statusCode = asked % 10 === 0 ? 502 : 200;
    response.end("x");
  });
  assert.deepEqual([report.requests, report.failures], [90, { status: 10 }]);
});

test("an answer that the generator cannot follow is a failure that says why", async () => {
  const report = measured((_, response) => response.writeHead(200).end("in chunks"));
  await assert.rejects(report, /nothing was answered: .*without Content-Length/);
});

test("requests on connections that the server closes are failures", async () => {
  let asked = 0;
  const report = await measured((_, response) => {
    asked += 1;
    if (asked > 50) response.destroy();
    else response.end("x");
  });
  assert.equal(report.requests, 50);
  assert.equal(report.failures.closed, 2);
});
