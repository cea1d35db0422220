import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Http2Client } from "../testing/http2-client.ts";
import { answering, eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function gatewayWith(http: object, upstream = answering(ok("hi"))): Promise<TestProxy> {
  open.push(await upstream.start());
  const gateway = new TestProxy();
  open.push(gateway);
  await gateway.apply({
    routes: { all: { path: "/", path_prefix: true, backends: [{ url: upstream.url }] } },
    listeners: { http: { address: "127.0.0.1:0", http } },
  });
  return gateway;
}

describe("a connection that has been used for as many requests as it may be", () => {
  it("is closed with the answer to the last, which says so", async () => {
    const gateway = await gatewayWith({ max_requests_per_connection: 3 });
    const client = gateway.client();
    for (let count = 0; count < 2; count++)
      assert.doesNotMatch(await client.get("/").until(/hi$/), /Connection: close/);
    assert.match(await client.get("/").untilClosed(), /Connection: close\r\n.*hi$/s);
  });

  it("answers no request behind the last, though it came along", async () => {
    const gateway = await gatewayWith({ max_requests_per_connection: 2 });
    const answers = await gateway.client().get("/1").get("/2").get("/3").untilClosed();
    assert.equal(answers.split("hi").length - 1, 2);
    assert.equal(gateway.state.sum("status2xx"), 2);
  });

  it("ends with HTTP/2's GOAWAY, and the requests that are on their way are served", async () => {
    const held: (() => void)[] = [];
    const upstream = new RawOrigin((socket) => void held.push(() => socket.write(ok("hi"))));
    const gateway = await gatewayWith({ max_requests_per_connection: 2 }, upstream);
    const client = new Http2Client(gateway.port);
    open.push(client);
    const answers = [1, 2, 3].map(() => client.get("/", { ":authority": "gateway.test" }));
    await eventually(() => held.length === 3 && client.goaway === 0, "three requests and a notice");
    for (const answer of held) answer();
    for (const { status, body } of await Promise.all(answers)) assert.deepEqual([status, body], [200, "hi"]);
    await client.untilClosed();
  });
});

describe("a connection that is as old as it may become", () => {
  it("is closed with its next answer and not before", async () => {
    const gateway = await gatewayWith({ max_connection_age: "100ms", idle_timeout: "1h" });
    const [busy, idle] = [gateway.client(), gateway.client()];
    await idle.get("/").until(/hi$/);
    const startMs = performance.now();
    while (!(await busy.get("/").until(/hi$/)).includes("Connection: close"));
    await eventually(() => busy.isClosed, "the end of the connection");
    await eventually(() => performance.now() > startMs + 250, "an age beyond the limit");
    assert.equal(idle.isClosed, false);
    assert.match(await idle.get("/").untilClosed(), /Connection: close\r\n.*hi$/s);
  });

  it("ends with HTTP/2's GOAWAY", async () => {
    const gateway = await gatewayWith({ max_connection_age: "50ms", idle_timeout: "1h" });
    const client = new Http2Client(gateway.port);
    open.push(client);
    while (client.goaway === undefined)
      assert.equal((await client.get("/", { ":authority": "gateway.test" })).status, 200);
    assert.equal(client.goaway, 0);
    await client.untilClosed();
  });
});
