import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { answering, eventually, freePort, ok, RawOrigin, type Sketch, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function origin(made: RawOrigin): Promise<RawOrigin> {
  open.push(await made.start());
  return made;
}

async function proxy(sketch: Sketch): Promise<TestProxy> {
  const made = new TestProxy();
  open.push(made);
  await made.apply(sketch);
  return made;
}

const everything = (url: string, more: object = {}) => ({
  routes: { all: { path: "/", path_prefix: true, backends: [{ url }], ...more } },
});

const END = /\r\n\r\n/;

describe("a request that is forwarded", () => {
  it("is written anew, with what the gateway knows", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(`${upstream.url}/base`));
    const client = gateway
      .client()
      .get("/a?b=c", "X-Request-ID: me-1", "Accept:*/*", "X-Forwarded-For: 6.6.6.6", "Forwarded: for=6.6.6.6");
    const answer = await client.until(/hi$/);
    assert.equal(
      upstream.received[0],
      `GET /base/a?b=c HTTP/1.1\r\nHost: 127.0.0.1:${upstream.port}\r\nAccept: */*\r\n` +
        "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-Host: gateway.test\r\n" +
        "X-Request-ID: me-1\r\n\r\n",
    );
    assert.match(answer, /^HTTP\/1.1 200 OK\r\nDate: [^\r]*GMT\r\nContent-Length: 2\r\nX-Request-ID: me-1\r\n\r\nhi$/);
    client.close();
  });

  it("adds to X-Forwarded-For and keeps the other forwarded fields for a trusted peer", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy({
      ...everything(upstream.url),
      settings: { trusted_proxies: { cidrs: ["127.0.0.0/8"] } },
    });
    const told = [
      "X-Forwarded-For: 1.1.1.1",
      "x-forwarded-for: 2.2.2.2",
      "Forwarded: for=1.1.1.1",
      "X-Forwarded-Proto: https",
      "X-Forwarded-Host: h",
    ];
    const client = gateway.client().get("/", ...told);
    await client.until(/hi$/);
    assert.match(upstream.received[0]!, /X-Forwarded-For: 1\.1\.1\.1, 2\.2\.2\.2, 127\.0\.0\.1\r\n/);
    assert.match(upstream.received[0]!, /X-Forwarded-Proto: https\r\nX-Forwarded-Host: h\r\n/);
    assert.match(upstream.received[0]!, /Forwarded: for=1\.1\.1\.1\r\n/);
    client.close();
  });

  it("gets a new request id when the client's cannot stand in a log", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(upstream.url));
    for (const id of ["", "a b", "x".repeat(200), '"']) {
      const client = gateway.client().get("/", `X-Request-ID: ${id}`);
      assert.match(await client.until(/hi$/), /X-Request-ID: [0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\r\n/);
      client.close();
    }
  });

  it("keeps what is for one hop only to that hop, in both directions", async () => {
    const hop = ["Keep-Alive: x", "Proxy-Connection: x", "TE: gzip", "Trailer: x", "Upgrade: x", "Secret: 1"];
    const proxyFields = ["Proxy-Authorization: x", "Proxy-Authenticate: x"];
    const upstream = await origin(answering(ok("hi", "Connection: secret", ...hop, ...proxyFields, "Kept: y")));
    const gateway = await proxy(everything(upstream.url));
    const client = gateway.client().get("/", "Connection: keep-alive, SECRET", ...hop, ...proxyFields, "Kept: y");
    for (const text of [await client.until(/hi$/), upstream.received[0]!]) {
      assert.doesNotMatch(text, /connection:|keep-alive|\bte:|trailer|upgrade|secret|proxy-auth/i);
      assert.match(text, /Kept: y\r\n/);
    }
    client.close();
  });

  it("loses the prefix that matched where the route says so", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy({
      routes: { r: { path: "/api/{v}", path_prefix: true, strip_prefix: true, backends: [{ url: upstream.url }] } },
    });
    const client = gateway.client();
    for (const [path, sent] of [
      ["/api/v1/a/b?c", "/a/b?c"],
      ["/api/v1", "/"],
      ["/api/v1/", "/"],
      ["/api/v1//a", "//a"],
    ]) {
      client.get(path!);
      await client.until(/hi$/);
      assert.equal(upstream.received[0]!.split("GET ").at(-1)!.split(" ")[0], sent);
    }
    client.close();
  });
});

describe("connections", () => {
  it("serve one request after another on both sides", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(upstream.url));
    const client = gateway.client();
    for (let count = 0; count < 5; count++) await client.get("/").until(/hi$/);
    assert.equal(upstream.received.length, 1);
    assert.equal(gateway.state.sum("status2xx"), 5);
    assert.equal(gateway.state.sum("activeConnections"), 1);
    assert.equal(gateway.state.sum("activeRequests"), 0);
    client.close();
    await eventually(() => gateway.state.sum("activeConnections") === 0, "no connection");
  });

  it("answer pipelined requests in order, one at a time", async () => {
    const upstream = await origin(
      new RawOrigin((socket, all) => {
        const path = all.split("GET ").at(-1)!.split(" ")[0]!;
        setImmediate(() => socket.write(ok(path)));
      }),
    );
    const gateway = await proxy({ routes: { r: { path: "/r/{n}", backends: [{ url: upstream.url }] } } });
    const client = gateway.client();
    const request = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`;
    const paths = Array.from({ length: 40 }, (_, n) => (n % 3 === 0 ? `/none/${n}` : `/r/${n}`));
    client.send(paths.map(request).join(""));
    client.send(`GET /last HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`);
    const bodies = (await client.untilClosed())
      .split("HTTP/1.1 ")
      .slice(1)
      .map((text) => text.split("\r\n\r\n")[1]!);
    assert.equal(bodies.length, 41);
    for (const [n, path] of paths.entries())
      if (n % 3 === 0) assert.match(bodies[n]!, /RW_ROUTE_NOT_FOUND/);
      else assert.equal(bodies[n], path);
  });

  it("whose client does not read its answers are not served further", async () => {
    const gateway = await proxy({});
    const client = gateway.client();
    client.socket.pause();
    const requests = "GET / HTTP/1.1\r\nHost: a\r\n\r\n".repeat(2_000);
    let sent = 0;
    let looksAtStandstill = 0;
    await eventually(() => {
      const before = sent;
      for (; sent < 1_000 && !client.socket.writableNeedDrain; sent++) client.socket.write(requests);
      looksAtStandstill = sent === before ? looksAtStandstill + 1 : 0;
      return looksAtStandstill > 50;
    }, "the client is made to wait");
    assert.ok(sent < 1_000, "two million requests were taken from a client that reads nothing");
    assert.equal(gateway.state.sum("activeRequests"), 0);
    client.socket.resume();
    const answered = gateway.state.sum("status4xx");
    await eventually(() => gateway.state.sum("status4xx") > answered, "it goes on once the client reads");
  });

  it("close when the client asks, and for HTTP/1.0 unless it asks otherwise", async () => {
    const upstream = await origin(
      answering("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n"),
    );
    const gateway = await proxy(everything(upstream.url));
    const closing = gateway.client().get("/", "Connection: close");
    assert.match(
      await closing.untilClosed(),
      /Transfer-Encoding: chunked\r\nConnection: close\r\n.*2\r\nhi\r\n0\r\n\r\n$/s,
    );
    const old = gateway.client().send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    const answer = await old.untilClosed();
    assert.match(answer, /Connection: close\r\n.*\r\n\r\nhi$/s);
    assert.doesNotMatch(answer, /chunked/i);
  });

  it("are kept for an HTTP/1.0 client that asks, when the length is known", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(upstream.url));
    const client = gateway.client();
    for (let count = 0; count < 2; count++) {
      client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
      assert.match(await client.until(/hi$/), /Connection: keep-alive\r\n/);
    }
    client.close();
  });

  it("to a target that went stale are opened anew, once, for a request that may be sent twice", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(upstream.url));
    const client = gateway.client();
    await client.get("/").until(/hi$/);
    upstream.sockets[0]!.removeAllListeners("data");
    upstream.sockets[0]!.on("data", () => upstream.sockets[0]!.destroy());
    await client.get("/again").until(/hi$/);
    assert.equal(upstream.received.length, 2);
    upstream.sockets[1]!.removeAllListeners("data");
    upstream.sockets[1]!.on("data", () => upstream.sockets[1]!.destroy());
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx");
    assert.match(await client.until(END), /^HTTP\/1.1 502 .*RW_UPSTREAM_RESET/s);
    client.close();
  });

  it("that are drained close with their next answer", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(upstream.url));
    const client = gateway.client();
    await client.get("/").until(/hi$/);
    await gateway.drain(true);
    client.get("/");
    assert.match(await client.untilClosed(), /Connection: close\r\n.*hi$/s);
    await gateway.drain(false);
    const other = gateway.client();
    assert.doesNotMatch(await other.get("/").until(/hi$/), /Connection: close/);
    other.close();
  });
});

describe("a method", () => {
  it("that asks about the gateway as a whole is answered by it", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(upstream.url));
    const client = gateway.client();
    for (let count = 0; count < 2; count++) {
      const answer = await client.send("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n").until(END);
      assert.match(answer, /^HTTP\/1.1 204 No Content\r\nDate: [^\r]*\r\nX-Request-ID: [^\r]*\r\n\r\n$/);
    }
    client.close();
    assert.deepEqual(upstream.received, []);
  });

  it("that shows what the upstream gets is answered only where a route lists it", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy({
      routes: {
        any: { path: "/any", backends: [{ url: upstream.url }] },
        trace: { path: "/trace", methods: ["TRACE"], backends: [{ url: upstream.url }] },
      },
    });
    const client = gateway.client();
    const refused = await client.send("TRACE /any HTTP/1.1\r\nHost: a\r\n\r\n").until(/\}\n$/);
    assert.match(refused, /^HTTP\/1.1 405 .*\r\nAllow: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS\r\n/s);
    await client.send("TRACE /trace HTTP/1.1\r\nHost: a\r\n\r\n").until(/hi$/);
    client.close();
  });
});

describe("a failure", () => {
  const answers = (status: number, code: string) =>
    new RegExp(`^HTTP/1\\.1 ${status} .*"code":"${code}".*\\}\\n$`, "s");

  it("is answered as JSON with its code and the request id", async () => {
    const gateway = await proxy({});
    const client = gateway.client().get("/", "X-Request-ID: me-1");
    const [head, body] = (await client.until(/\}\n$/)).split("\r\n\r\n");
    assert.match(head!, /^HTTP\/1.1 404 Not Found\r\nContent-Type: application\/json\r\n/);
    assert.match(head!, /X-Request-ID: me-1$/);
    assert.deepEqual(JSON.parse(body!), {
      code: "RW_ROUTE_NOT_FOUND",
      status: 404,
      message: "No route matches the request.",
      request_id: "me-1",
    });
    assert.equal(Number(/Content-Length: (\d+)/.exec(head!)![1]), body!.length);
    client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n");
    assert.match(await client.until(END), /Content-Length: \d+\r\n.*\r\n\r\n$/s);
    assert.match(await client.get("/").until(/\}\n$/), answers(404, "RW_ROUTE_NOT_FOUND"));
    client.close();
  });

  it("names the methods that the route does answer", async () => {
    const gateway = await proxy({
      routes: {
        a: { path: "/a", methods: ["PUT", "POST"], backends: [{ url: "http://127.0.0.1:1" }] },
        b: {
          path: "/a",
          methods: ["POST"],
          match: { headers: [{ name: "x", present: true }] },
          backends: [{ url: "http://a" }],
        },
      },
    });
    const client = gateway.client().get("/a", "X: y");
    assert.match(await client.until(/\}\n$/), /^HTTP\/1.1 405 .*Allow: POST, PUT\r\n/s);
    client.close();
  });

  it("of framing closes the connection, and what follows is not served", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(everything(upstream.url));
    const smuggled = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";
    const client = gateway.client();
    client.send(
      `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${smuggled}`,
    );
    assert.match(await client.untilClosed(), answers(400, "RW_BAD_REQUEST"));
    const chunks = gateway.client();
    chunks.send(`POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n1 \r\na\r\n0\r\n\r\n${smuggled}`);
    assert.match(await chunks.untilClosed(), answers(400, "RW_BAD_REQUEST"));
    assert.doesNotMatch(upstream.received.join(""), /smuggled/);
  });

  it("of the client is told by its status", async () => {
    const gateway = await proxy({
      ...everything("http://127.0.0.1:1", { max_body_size: 10 }),
      listeners: { http: { address: "127.0.0.1:0", http: { max_header_bytes: 1024 } } },
    });
    const table: [number, string, string][] = [
      [414, "RW_URI_TOO_LONG", `GET /${"a".repeat(1_024)}`],
      [431, "RW_HEADER_TOO_LARGE", `GET / HTTP/1.1\r\nX: ${"a".repeat(1_024)}`],
      [413, "RW_BODY_TOO_LARGE", "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n"],
      [417, "RW_EXPECTATION_FAILED", "POST / HTTP/1.1\r\nHost: a\r\nExpect: magic\r\n\r\n"],
      [501, "RW_METHOD_NOT_IMPLEMENTED", "CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"],
      [505, "RW_HTTP_VERSION_NOT_SUPPORTED", "GET / HTTP/3.0\r\n"],
    ];
    for (const [status, code, text] of table)
      assert.match(await gateway.client().send(text).untilClosed(), answers(status, code));
  });

  it("of a chunked body that grows too large is 413", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const gateway = await proxy(everything(upstream.url, { max_body_size: 10 }));
    const client = gateway
      .client()
      .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n8\r\n12345678\r\n");
    await eventually(() => upstream.received[0]?.includes("12345678") === true, "the first chunk");
    client.send("8\r\n12345678\r\n");
    assert.match(await client.untilClosed(), answers(413, "RW_BODY_TOO_LARGE"));
  });

  it("to arrive in time is 408, and silence between requests only closes", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const times = { read_header_timeout: "100ms", read_timeout: "100ms", idle_timeout: "200ms" };
    const gateway = await proxy({
      ...everything(upstream.url),
      listeners: { http: { address: "127.0.0.1:0", http: times } },
    });
    const head = gateway.client().send("GET / HT");
    const body = gateway.client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nabc");
    const idle = gateway.client();
    assert.match(await head.untilClosed(), answers(408, "RW_REQUEST_TIMEOUT"));
    assert.match(await body.untilClosed(), answers(408, "RW_REQUEST_TIMEOUT"));
    assert.equal(await idle.untilClosed(), "");
  });

  it("to reach a target is 502, of a target without weight 503, of a slow one 504", async () => {
    const silent = await origin(new RawOrigin(() => {}));
    const gateway = await proxy({
      routes: {
        refused: { path: "/refused", backends: [{ url: `http://127.0.0.1:${await freePort()}` }] },
        none: { path: "/none", backends: [{ url: silent.url, weight: 0 }] },
        slow: { path: "/slow", backends: [{ url: silent.url }], timeout_policy: { request: "100ms" } },
      },
    });
    const client = gateway.client();
    assert.match(await client.get("/refused").until(/\}\n$/), answers(502, "RW_UPSTREAM_REFUSED"));
    assert.match(await client.get("/none").until(/\}\n$/), answers(503, "RW_NO_TARGET"));
    assert.match(await client.get("/slow").until(/\}\n$/), answers(504, "RW_UPSTREAM_TIMEOUT"));
    assert.equal(gateway.state.sum("gatewayFailures"), 3);
    client.close();
  });

  it("to send a body quickly is the client's, and the upstream's time does not run meanwhile", async () => {
    const upstream = await origin(new RawOrigin((socket, all) => all.endsWith("world") && socket.write(ok("hi"))));
    const gateway = await proxy(everything(upstream.url, { timeout_policy: { request: "50ms" } }));
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10\r\n\r\nhello");
    await eventually(() => upstream.received[0]?.endsWith("hello") === true, "the first half");
    await new Promise((resolve) => setTimeout(resolve, 250));
    await client.send("world").until(/^HTTP\/1.1 200 .*hi$/s);
    client.close();
  });

  it("of an upstream to speak HTTP is 502", async () => {
    const texts = [
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
      "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\nContent-Length: 0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nX : a\r\n\r\n",
      "HTTP/1.1 101 Switching Protocols\r\n\r\n",
      "I am not HTTP at all\r\n",
      "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(20),
    ];
    for (const text of texts) {
      const upstream = await origin(answering(text));
      const gateway = await proxy(everything(upstream.url));
      const client = gateway.client().get("/");
      const hints = /^(HTTP\/1\.1 103 Early Hints\r\n\r\n)*/;
      assert.match((await client.until(/\}\n$/)).replace(hints, ""), answers(502, "RW_UPSTREAM_INVALID"));
      client.close();
    }
  });

  it("in the middle of a response cuts the connection and never completes it", async () => {
    const cuts = [
      "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\nzz\r\n",
    ];
    for (const text of cuts) {
      const upstream = await origin(
        new RawOrigin((socket) => {
          socket.write(text);
          setTimeout(() => socket.destroy(), 20);
        }),
      );
      const gateway = await proxy(everything(upstream.url));
      const received = await gateway.client().get("/").untilClosed();
      assert.doesNotMatch(received, /\r\n0\r\n\r\n$/);
      assert.doesNotMatch(received, /RW_/);
      assert.equal(gateway.state.sum("gatewayFailures"), 1);
    }
  });

  it("is not what a client that goes away is: the upstream's request is given up", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const gateway = await proxy(everything(upstream.url));
    const client = gateway.client().get("/");
    await eventually(() => upstream.sockets.length === 1, "the request upstream");
    client.close();
    await eventually(() => upstream.sockets[0]!.readableEnded || upstream.sockets[0]!.destroyed, "the end upstream");
    assert.equal(gateway.state.sum("clientsGone"), 1);
    assert.equal(gateway.state.sum("gatewayFailures"), 0);
    assert.equal(gateway.state.sum("activeRequests"), 0);
  });
});
