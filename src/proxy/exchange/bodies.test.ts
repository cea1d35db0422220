import assert from "node:assert/strict";
import { createServer, request as httpRequest, type Server } from "node:http";
import { afterEach, describe, it } from "node:test";
import { answering, eventually, ok, RawOrigin, type Sketch, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function origin(made: RawOrigin): Promise<RawOrigin> {
  open.push(await made.start());
  return made;
}

async function proxyTo(url: string, more: Sketch = {}): Promise<TestProxy> {
  const made = new TestProxy();
  open.push(made);
  await made.apply({ routes: { all: { path: "/", path_prefix: true, backends: [{ url }] } }, ...more });
  return made;
}

/** An origin on node:http, whose handling of bodies is not ours. */
async function httpOrigin(server: Server): Promise<string> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push({
    stop: () => {
      server.closeAllConnections();
      return new Promise((closed) => server.close(() => closed()));
    },
  });
  return `http://127.0.0.1:${(server.address() as { port: number }).port}`;
}

describe("a response", () => {
  it("without a body is over with its head", async () => {
    const answers: Record<string, string> = {
      "/304": "HTTP/1.1 304 Not Modified\r\nContent-Length: 99\r\nETag: a\r\n\r\n",
      "/204": "HTTP/1.1 204 No Content\r\n\r\n",
      "/empty": "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
    };
    const upstream = await origin(
      new RawOrigin((socket, all) => socket.write(answers[all.split("GET ").at(-1)!.split(" ")[0]!]!)),
    );
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    assert.match(await client.get("/304").until(/\r\n\r\n/), /^HTTP\/1.1 304 .*Content-Length: 99\r\n.*\r\n\r\n$/s);
    assert.doesNotMatch(await client.get("/204").until(/\r\n\r\n/), /Content-Length|chunked/i);
    assert.match(await client.get("/empty").until(/\r\n\r\n/), /Content-Length: 0\r\n/);
    assert.equal(upstream.received.length, 1);
    client.close();
  });

  it("to HEAD tells the length and has no body", async () => {
    const upstream = await origin(answering("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    for (let count = 0; count < 2; count++) {
      client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
      assert.match(await client.until(/\r\n\r\n/), /Content-Length: 1000\r\n.*\r\n\r\n$/s);
    }
    assert.equal(upstream.received.length, 1);
    client.close();
  });

  it("in chunks is framed anew, extensions and trailers left out", async () => {
    const upstream = await origin(
      answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n002;x=y\r\nab\r\n1\r\nc\r\n0\r\nT: u\r\n\r\n"),
    );
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    for (let count = 0; count < 2; count++)
      assert.match(await client.get("/").until(/\r\n0\r\n\r\n$/), /\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\n\r\n$/);
    assert.equal(upstream.received.length, 1);
    client.close();
  });

  it("that ends with the connection becomes chunked, and the client's connection is kept", async () => {
    const upstream = await origin(new RawOrigin((socket) => socket.end("HTTP/1.1 200 OK\r\n\r\nhello")));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    for (let count = 0; count < 2; count++)
      assert.match(await client.get("/").until(/\r\n0\r\n\r\n$/), /chunked\r\n.*\r\n\r\n5\r\nhello\r\n0\r\n\r\n$/s);
    client.close();
  });

  it("may come octet by octet", async () => {
    const text = ok("hello");
    const upstream = await origin(
      new RawOrigin(async (socket) => {
        for (const octet of text) {
          socket.write(octet);
          await new Promise(setImmediate);
        }
      }),
    );
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    assert.match(await client.get("/").until(/hello$/), /Content-Length: 5\r\n/);
    client.close();
  });

  it("may come after early hints, which are passed on", async () => {
    const upstream = await origin(answering(`HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\n${ok("hi")}`));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    assert.match(
      await client.get("/").until(/hi$/),
      /^HTTP\/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP\/1.1 200 OK\r\n/,
    );
    client.send("GET / HTTP/1.0\r\n\r\n");
    assert.match(await client.until(/hi$/), /^HTTP\/1.1 200 OK\r\n/);
  });

  it("with more octets than announced spoils the connection, not the next answer", async () => {
    const upstream = await origin(answering(`${ok("hi")}HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil`));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    assert.match(await client.get("/").until(/hi$/), /hi$/);
    assert.match(await client.get("/").until(/hi$/), /^HTTP.*hi$/s);
    assert.equal(upstream.received.length, 2);
    client.close();
  });

  it("to a client that does not read holds the upstream back, and is dropped after the write timeout", async () => {
    let written = 0;
    const server = createServer((_, response) => {
      response.writeHead(200);
      const more = () => {
        do written += 65_536;
        while (response.write(Buffer.alloc(65_536)));
        response.once("drain", more);
      };
      more();
    });
    const listeners = { http: { address: "127.0.0.1:0", http: { write_timeout: "300ms" } } };
    const gateway = await proxyTo(await httpOrigin(server), { listeners });
    const client = gateway.client();
    client.socket.pause();
    client.get("/");
    await eventually(() => written > 0, "the start of the response");
    await eventually(() => gateway.state.sum("clientsGone") === 1, "the end of the stalled client");
    assert.ok(written < 32 * 1024 * 1024, `${written} octets were taken for a client that reads nothing`);
    client.close();
  });
});

describe("a request body", () => {
  it("of known length and in chunks arrives whole, large as it is, and comes back whole", async () => {
    const server = createServer((request, response) => {
      response.writeHead(
        200,
        request.headers["content-length"] ? { "content-length": request.headers["content-length"] } : {},
      );
      request.pipe(response);
    });
    const gateway = await proxyTo(await httpOrigin(server));
    const body = Buffer.alloc(3 * 1024 * 1024, "0123456789abcdef-");
    for (const headers of [{ "content-length": body.length }, { "transfer-encoding": "chunked" }]) {
      const { promise, resolve, reject } = Promise.withResolvers<Buffer>();
      const options = { port: gateway.port, host: "127.0.0.1", method: "POST", headers };
      const sent = httpRequest(options, (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece));
        response.on("end", () => resolve(Buffer.concat(pieces)));
      });
      sent.on("error", reject);
      for (let at = 0; at < body.length; at += 100_000) sent.write(body.subarray(at, at + 100_000));
      sent.end();
      assert.ok((await promise).equals(body));
    }
  });

  it("is framed anew", async () => {
    const upstream = await origin(new RawOrigin((socket, all) => all.endsWith("0\r\n\r\n") && socket.write(ok("hi"))));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\ntransfer-encoding: CHUNKED\r\n\r\n003;x\r\nabc\r\n0\r\nT: x\r\n\r\n");
    await client.until(/hi$/);
    assert.match(upstream.received[0]!, /Transfer-Encoding: chunked\r\n.*\r\n\r\n3\r\nabc\r\n0\r\n\r\n$/s);
    client.close();
  });

  it("that an upstream does not read is held back, and given up when its client is gone", async () => {
    const upstream = await origin(new RawOrigin((socket) => socket.pause()));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    const total = 64 * 1024 * 1024;
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
    const piece = Buffer.alloc(65_536);
    let sent = 0;
    let looksAtStandstill = 0;
    await eventually(() => {
      const before = sent;
      for (; sent < total && !client.socket.writableNeedDrain; sent += piece.length) client.socket.write(piece);
      looksAtStandstill = sent === before ? looksAtStandstill + 1 : 0;
      return looksAtStandstill > 50;
    }, "the client is made to wait");
    assert.ok(sent < total / 2, `${sent} octets were taken for an upstream that reads nothing`);
    // The gateway does not read from the client any more, and notices all the same that it is gone.
    client.socket.resetAndDestroy();
    await eventually(() => gateway.state.sum("clientsGone") === 1, "the gateway notices that the client is gone");
    assert.equal(gateway.state.sum("activeRequests"), 0);
    upstream.sockets[0]!.destroy();
  });

  it("that is announced is asked for when the upstream does", async () => {
    const upstream = await origin(
      new RawOrigin((socket, all) => socket.write(all.endsWith("abc") ? ok("hi") : "HTTP/1.1 100 Continue\r\n\r\n")),
    );
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert.equal(await client.until(/\r\n\r\n/), "HTTP/1.1 100 Continue\r\n\r\n");
    await client.send("abc").until(/^HTTP\/1.1 200 .*hi$/s);
    assert.match(upstream.received[0]!, /\r\nExpect: 100-continue\r\n/);
    assert.equal(upstream.received.length, 1);
    client.close();
  });

  it("that is announced is not waited for when the client sends it anyway", async () => {
    const upstream = await origin(new RawOrigin((socket, all) => all.endsWith("abc") && socket.write(ok("hi"))));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\nabc");
    assert.match(await client.until(/hi$/), /^HTTP\/1.1 200 /);
    client.close();
  });

  it("that is announced and that the upstream does not want is never sent", async () => {
    const upstream = await origin(answering("HTTP/1.1 417 Expectation Failed\r\nContent-Length: 2\r\n\r\nno"));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1.1 417 .*Connection: close\r\n.*no$/s);
  });

  it("that is announced to an upstream that says nothing is the upstream's timeout, not the client's", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const gateway = await proxyTo(upstream.url, {
      routes: { all: { path: "/", backends: [{ url: upstream.url }], timeout_policy: { request: "300ms" } } },
      listeners: { http: { address: "127.0.0.1:0", http: { read_timeout: "50ms" } } },
    });
    const client = gateway.client();
    client.send("PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1.1 504 .*RW_UPSTREAM_TIMEOUT/s);
  });

  it("that is announced is not asked for when no route takes it", async () => {
    const gateway = await proxyTo("http://127.0.0.1:1", { routes: {} });
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert.match(await client.untilClosed(), /^HTTP\/1.1 404 .*Connection: close\r\n/s);
  });

  it("may be answered before it is complete", async () => {
    const upstream = await origin(answering("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno"));
    const gateway = await proxyTo(upstream.url);
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nabc");
    assert.match(await client.untilClosed(), /^HTTP\/1.1 403 .*Connection: close\r\n.*no$/s);
  });
});

describe("the targets of an upstream", () => {
  const named = (name: string) => answering(ok(name));

  it("share the requests by weight, evenly spread, and go on after a change that does not touch them", async () => {
    const [a, b] = [await origin(named("a")), await origin(named("b"))];
    const backends = [
      { url: a.url, weight: 3 },
      { url: b.url, weight: 1 },
    ];
    const sketch = { upstreams: { u: { backends } }, routes: { r: { path: "/", upstream: "u" } } };
    const gateway = await proxyTo("", sketch);
    const client = gateway.client();
    let order = "";
    for (let turn = 0; turn < 8; turn++) {
      order += (await client.get("/").until(/[ab]$/)).at(-1);
      await gateway.apply({ ...sketch, routes: { ...sketch.routes, [`other${turn}`]: { path: "/o", upstream: "u" } } });
    }
    assert.equal(order, "aabaaaba");
    assert.deepEqual([a.received.length, b.received.length], [1, 1], "connections survive the changes");
    client.close();
  });

  it("that a change removes are not used any more, and their idle connections close", async () => {
    const [a, b] = [await origin(named("a")), await origin(named("b"))];
    const to = (url: string) => ({ routes: { r: { path: "/", backends: [{ url }] } } });
    const gateway = await proxyTo("", to(a.url));
    const client = gateway.client();
    await client.get("/").until(/a$/);
    await gateway.apply(to(b.url));
    await client.get("/").until(/b$/);
    await eventually(() => a.sockets[0]!.destroyed, "the end of the idle connection");
    client.close();
  });

  it("get no more connections than allowed: 503 beyond", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const gateway = await proxyTo(upstream.url, { settings: { transport: { max_conns_per_host: 1 } } });
    const first = gateway.client().get("/");
    await eventually(() => upstream.received.length === 1, "the first request");
    const second = gateway.client().get("/");
    assert.match(await second.until(/\}\n$/), /^HTTP\/1.1 503 .*RW_UPSTREAM_FULL/s);
    first.close();
    second.close();
  });
});
