import assert from "node:assert/strict";
import { once } from "node:events";
import { connect, createServer } from "node:net";
import { afterEach, describe, it } from "node:test";
import { answering, eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";
import { echoingWebSocket } from "../testing/websocket.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function origin(made: RawOrigin): Promise<RawOrigin> {
  open.push(await made.start());
  return made;
}

async function proxyTo(url: string, route: object = {}, settings: Readonly<Record<string, unknown>> = {}) {
  const made = new TestProxy();
  open.push(made);
  await made.apply({ routes: { all: { path: "/", path_prefix: true, backends: [{ url }], ...route } }, settings });
  return made;
}

const ASK = [
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Key: k",
  "Sec-WebSocket-Version: 13",
];
const SWITCH =
  "HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: WebSocket\r\nSec-WebSocket-Accept: a\r\n\r\n";
const HEAD_END = /\r\n\r\n/;

/** Switches protocols and then sends back what it gets, in capitals. */
function shouting(): RawOrigin {
  const told: number[] = [];
  return new RawOrigin((socket, all, connection) => {
    const said = all.slice(all.indexOf("\r\n\r\n") + 4);
    if (told[connection] === undefined) socket.write(SWITCH);
    socket.write(said.slice(told[connection] ?? 0).toUpperCase());
    told[connection] = said.length;
  });
}

describe("an upgrade", () => {
  it("is asked for and agreed to anew on each hop, its own fields kept", async () => {
    const upstream = await origin(shouting());
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client().get("/chat", ...ASK);
    const answer = await client.until(HEAD_END);
    assert.match(upstream.received[0]!, /\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n/);
    assert.match(upstream.received[0]!, /\r\nSec-WebSocket-Key: k\r\nSec-WebSocket-Version: 13\r\n/);
    assert.doesNotMatch(upstream.received[0]!, /keep-alive/i);
    assert.match(
      answer,
      /^HTTP\/1.1 101 Switching Protocols\r\nSec-WebSocket-Accept: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nX-Request-ID: \S+\r\n\r\n$/,
    );
    await client.send("hello").until(/^HELLO$/);
    assert.equal(gateway.state.sum("status1xx"), 1);
    assert.equal(gateway.state.sum("activeTunnels"), 1);
    assert.equal(gateway.state.sum("activeRequests"), 0);
    client.close();
    await eventually(() => gateway.state.sum("activeTunnels", "activeConnections") === 0, "no tunnel");
  });

  it("opens a real WebSocket, whose messages go both ways", async () => {
    const upstream = await origin(echoingWebSocket());
    const gateway = await proxyTo(upstream.url);
    const socket = new WebSocket(`ws://127.0.0.1:${gateway.port}/`);
    await once(socket, "open");
    for (const text of ["hello", "x".repeat(10_000), "é"]) {
      socket.send(text);
      const [{ data }] = (await once(socket, "message")) as [MessageEvent];
      assert.equal(data, text);
    }
    const closed = once(socket, "close");
    socket.close();
    await closed;
  });

  it("that is refused is an ordinary response, and what was pipelined is the next request", async () => {
    const upstream = await origin(answering(ok("no")));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    client.get("/a", ...ASK).get("/b");
    assert.match(await client.until(/no.*no$/s), /^HTTP\/1.1 200 /);
    assert.equal(upstream.received.length, 1, "the connection is used again");
    client.close();
  });

  it("loses nothing that comes with the heads", async () => {
    const upstream = await origin(
      new RawOrigin((socket, all) => {
        if (all.endsWith("\r\n\r\n")) setTimeout(() => socket.write(`${SWITCH}welcome `), 20);
        else if (all.endsWith("early")) socket.write("heard");
      }),
    );
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client().send(`GET / HTTP/1.1\r\nHost: a\r\n${ASK.join("\r\n")}\r\n\r\nearly`);
    assert.match(await client.until(/heard$/), /\r\n\r\nwelcome heard$/);
    client.close();
  });

  it("is not passed on unless the route lists it and the request may have it", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxyTo(upstream.url, { upgrades: ["websocket", "chat/2"] });
    const requests = [
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AA\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: chat\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket, h2c\r\n\r\n",
      "GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\n\r\n",
      "GET / HTTP/1.0\r\nConnection: Upgrade, keep-alive\r\nUpgrade: websocket\r\n\r\n",
      "DELETE / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    ];
    const client = gateway.client();
    for (const request of requests) assert.match(await client.send(request).until(/hi$/), /^HTTP\/1.1 200 /);
    assert.doesNotMatch(upstream.received[0]!, /upgrade|HTTP2-Settings/i);
    client.send("POST / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: CHAT/2\r\n\r\n");
    await client.until(/hi$/);
    assert.match(upstream.received[0]!, /\r\nConnection: Upgrade\r\nUpgrade: chat\/2\r\n/);
    client.close();
  });

  it("to something else than was asked for is 502", async () => {
    for (const wrong of ["Upgrade: h2c\r\n", ""]) {
      const upstream = await origin(answering(`HTTP/1.1 101 Sure\r\nConnection: upgrade\r\n${wrong}\r\n`));
      const gateway = await proxyTo(upstream.url);
      const client = gateway.client().get("/", ...ASK);
      assert.match(await client.until(/\}\n$/), /^HTTP\/1.1 502 .*RW_UPSTREAM_INVALID/s);
      await eventually(() => upstream.sockets[0]!.destroyed, "the end of the connection");
      client.close();
    }
  });
});

describe("a tunnel", () => {
  async function tunnel(upstream: RawOrigin, route: object = {}) {
    await origin(upstream);
    const gateway = await proxyTo(upstream.url, route, { transport: { max_conns_per_host: 1 } });
    const client = gateway.client().get("/", ...ASK);
    assert.match(await client.until(HEAD_END), /^HTTP\/1.1 101 /);
    return { gateway, client };
  }

  it("counts among the connections of its target and never takes another request", async () => {
    const { gateway, client } = await tunnel(shouting());
    const other = gateway.client();
    assert.match(await other.get("/", ...ASK).until(/\}\n$/), /^HTTP\/1.1 503 .*RW_UPSTREAM_FULL/s);
    client.close();
    await eventually(() => gateway.state.sum("activeTunnels") === 0, "the end of the tunnel");
    assert.match(await other.get("/", ...ASK).until(HEAD_END), /^HTTP\/1.1 101 /);
    other.close();
  });

  it("that breaks on the upstream's side breaks on the client's", async () => {
    const upstream = shouting();
    const { client, gateway } = await tunnel(upstream);
    upstream.sockets[0]!.resetAndDestroy();
    await client.untilClosed();
    await eventually(() => gateway.state.sum("activeTunnels", "activeConnections") === 0, "no tunnel");
  });

  it("in which nothing moves is closed after the idle time, however long the request's own is", async () => {
    const { client } = await tunnel(shouting(), { timeout_policy: { request: "0s", idle: "100ms" } });
    for (let turn = 0; turn < 5; turn++) {
      await new Promise((resolve) => setTimeout(resolve, 50));
      await client.send("a").until(/A$/);
    }
    await client.untilClosed();
  });

  it("outlives a change of configuration and a drain", async () => {
    const { gateway, client } = await tunnel(shouting());
    await gateway.apply({});
    await gateway.drain(true);
    await client.send("still").until(/STILL$/);
    client.close();
  });

  it("closes one direction at a time", async () => {
    const server = createServer({ allowHalfOpen: true }, (socket) => {
      let all = "";
      socket.on("data", (bytes) => {
        if (all === "") socket.write(SWITCH);
        all += bytes.toString("latin1");
      });
      socket.on("end", () => socket.end(`got ${all.split("\r\n\r\n")[1]}`));
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    open.push({ stop: () => new Promise((closed) => server.close(() => closed())) });
    const gateway = await proxyTo(`http://127.0.0.1:${(server.address() as { port: number }).port}`);
    const client = connect({ port: gateway.port, host: "127.0.0.1", allowHalfOpen: true });
    let received = "";
    client.on("data", (bytes) => {
      received += bytes.toString("latin1");
    });
    client.write(`GET / HTTP/1.1\r\nHost: a\r\n${ASK.join("\r\n")}\r\n\r\n`);
    await eventually(() => received.includes("\r\n\r\n"), "the switch");
    client.end("last words");
    await once(client, "end");
    assert.match(received, /\r\n\r\ngot last words$/);
    await eventually(() => gateway.state.sum("activeTunnels", "activeConnections") === 0, "no tunnel");
  });

  it("holds back whoever sends more than the other reads, and loses nothing", async () => {
    const upstream = shouting();
    const { client } = await tunnel(upstream);
    const socket = upstream.sockets[0]!;
    client.socket.pause();
    const piece = Buffer.alloc(65_536, "abcdefg");
    const most = 1_000;
    let sent = 0;
    let looksAtStandstill = 0;
    await eventually(() => {
      const before = sent;
      for (; sent < most && !socket.writableNeedDrain; sent++) socket.write(piece);
      looksAtStandstill = sent === before ? looksAtStandstill + 1 : 0;
      return looksAtStandstill > 50;
    }, "the upstream is made to wait");
    assert.ok(sent < most, "64 MB were taken for a client that reads nothing");
    client.socket.resume();
    await eventually(() => client.received.length === sent * piece.length, "all of it");
    client.close();
  });
});
