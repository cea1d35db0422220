import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { eventually, RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

const HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n";

async function streaming(timeouts: object, framing = "Transfer-Encoding: chunked\r\n") {
  const upstream = await new RawOrigin((socket) => socket.write(`${HEAD}${framing}\r\n`)).start();
  const gateway = new TestProxy();
  open.push(upstream, gateway);
  const all = { path: "/", backends: [{ url: upstream.url }], timeout_policy: timeouts };
  await gateway.apply({ routes: { all } });
  const client = gateway.client().get("/", "Accept: text/event-stream");
  await client.until(/\r\n\r\n$/);
  const [socket] = upstream.sockets;
  return { gateway, client, socket: socket! };
}

describe("a stream of events", () => {
  it("goes to the client piece by piece, as each comes", async () => {
    const { client, socket } = await streaming({});
    for (const event of ["data: 1\n\n", "data: 2\n\n", "data: 3\n\n"]) {
      socket.write(`${event.length.toString(16)}\r\n${event}\r\n`);
      assert.equal(await client.until(/\r\n$/), `9\r\n${event}\r\n`);
    }
    client.close();
  });

  it("without a length is chunked, piece by piece too", async () => {
    const { client, socket } = await streaming({}, "");
    for (const event of ["data: 1\n\n", "data: 2\n\n"]) {
      socket.write(event);
      assert.equal(await client.until(/\r\n$/), `9\r\n${event}\r\n`);
    }
    client.close();
  });

  it("may be silent for longer than a response may take to begin", async () => {
    const { client, socket } = await streaming({ request: "100ms", idle: "0s" });
    await new Promise((resolve) => setTimeout(resolve, 400));
    socket.write("2\r\nhi\r\n");
    assert.equal(await client.until(/\r\n$/), "2\r\nhi\r\n");
    client.close();
  });

  it("that is silent for longer than it may be is cut", async () => {
    const { client, gateway } = await streaming({ request: "0s", idle: "100ms" });
    assert.doesNotMatch(await client.untilClosed(), /0\r\n\r\n/);
    assert.equal(gateway.state.sum("gatewayFailures"), 1);
  });

  it("ends at the upstream as soon as the client is gone", async () => {
    const { client, gateway, socket } = await streaming({ idle: "0s" });
    client.close();
    await eventually(() => socket.destroyed, "the end upstream");
    assert.equal(gateway.state.sum("clientsGone"), 1);
    assert.equal(gateway.state.sum("activeRequests"), 0);
  });
});
