import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
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

describe("connections beyond the limit of their listener", () => {
  it("are answered 503 and closed, and those that are there go on", async () => {
    const gateway = await gatewayWith({ max_connections: 2 });
    const [first, second] = [gateway.client(), gateway.client()];
    await first.get("/").until(/hi$/);
    await second.get("/").until(/hi$/);
    assert.match(
      await gateway.client().get("/").untilClosed(),
      /^HTTP\/1.1 503 Service Unavailable\r\n.*\r\nConnection: close\r\n.*"code":"RW_OVERLOADED"/s,
    );
    await first.get("/").until(/hi$/);
    assert.equal(gateway.state.sum("connectionsRefused"), 1);
    second.close();
    await eventually(() => gateway.state.sum("activeConnections") === 1, "a free place");
    await gateway.client().get("/").until(/hi$/);
  });

  it("never become more than the limit, however many come", async () => {
    const gateway = await gatewayWith({ max_connections: 10 });
    const clients = Array.from({ length: 400 }, () => gateway.client());
    await eventually(() => gateway.state.sum("connectionsTotal") === 400, "400 connections");
    assert.equal(gateway.state.sum("connectionsRefused"), 390);
    assert.equal(gateway.state.sum("activeConnections"), 10);
    await eventually(() => clients.filter(({ isClosed }) => isClosed).length === 390, "the end of the others");
  });

  it("are those beyond the new limit once it changes", async () => {
    const upstream = answering(ok("hi"));
    const gateway = await gatewayWith({ max_connections: 1 }, upstream);
    const first = gateway.client();
    await first.get("/").until(/hi$/);
    await gateway.apply({
      routes: { all: { path: "/", backends: [{ url: upstream.url }] } },
      listeners: { http: { address: "127.0.0.1:0", http: { max_connections: 0 } } },
    });
    await gateway.client().get("/").until(/hi$/);
    await first.get("/").until(/hi$/);
  });
});

describe("clients that take their time", () => {
  it("with their heads, hundreds of them, are answered 408 while others are served", async () => {
    const gateway = await gatewayWith({ read_header_timeout: "300ms" });
    const slow = Array.from({ length: 500 }, () => gateway.client().send("GET / HTTP/1.1\r\nHost: a\r\nX-A: b\r\n"));
    const trickle = setInterval(() => slow.forEach((client) => void (client.isClosed || client.send("X: y\r\n"))), 50);
    open.push({ stop: async () => clearInterval(trickle) });
    await eventually(() => gateway.state.sum("activeConnections") === 500, "500 connections");
    const quick = gateway.client();
    for (let count = 0; count < 20; count++) await quick.get("/").until(/hi$/);
    await eventually(() => slow.every(({ received }) => /^HTTP\/1.1 408 /.test(received)), "500 times 408");
    await eventually(() => gateway.state.sum("activeConnections") === 1, "the end of the slow ones");
    await quick.get("/").until(/hi$/);
  });

  it("and never send anything are closed", async () => {
    const gateway = await gatewayWith({ idle_timeout: "100ms" });
    const silent = Array.from({ length: 500 }, () => gateway.client());
    await eventually(() => silent.every(({ isClosed }) => isClosed), "500 closes");
    assert.equal(gateway.state.sum("activeConnections", "activeRequests"), 0);
  });
});

describe("what has no end", () => {
  const endless: [what: string, status: number, begin: string, piece: string][] = [
    ["a request line", 414, "GET /", "a".repeat(1_000)],
    ["a header line", 431, "GET / HTTP/1.1\r\nX: ", "a".repeat(1_000)],
    ["header lines", 431, "GET / HTTP/1.1\r\n", "X: y\r\n"],
    ["empty lines before a request", 400, "\r\n", "\r\n"],
    [
      "a chunk extension",
      400,
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1;x=",
      "a".repeat(1_000),
    ],
    [
      "chunk extensions",
      400,
      "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n",
      "1;x=yyyyyyyyyy\r\na\r\n",
    ],
    ["trailers", 400, "POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", "T: uuuuuuuuuu\r\n"],
  ];
  for (const [what, status, begin, piece] of endless)
    it(`(${what}) is refused with ${status}, and the connection closed`, async () => {
      const gateway = await gatewayWith({ max_header_bytes: 4_096 }, new RawOrigin(() => {}));
      const client = gateway.client().send(begin);
      const sending = setInterval(() => void (client.isClosed || client.send(piece.repeat(10))), 1);
      open.push({ stop: async () => clearInterval(sending) });
      assert.match(await client.untilClosed(), new RegExp(`^HTTP/1.1 ${status} .*"code":"RW_`, "s"));
      assert.equal(gateway.state.sum("activeRequests"), 0);
    });
});
