import assert from "node:assert/strict";
import { constants } from "node:http2";
import { afterEach, describe, it } from "node:test";
import { block, FRAME, frame, framesIn, Http2Client, PREFACE } from "../testing/http2-client.ts";
import { answering, eventually, ok, RawOrigin, type Sketch, TestProxy } from "../testing/test-proxy.ts";

const END_STREAM = 1;
const END_HEADERS = 4;

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function origin(made: RawOrigin): Promise<RawOrigin> {
  open.push(await made.start());
  return made;
}

async function proxy(url: string, more: object = {}, http: object = {}, settings: Sketch["settings"] = {}) {
  const made = new TestProxy();
  open.push(made);
  await made.apply(sketch(url, more, http, settings));
  return made;
}

function sketch(url: string, more: object = {}, http: object = {}, settings: Sketch["settings"] = {}): Sketch {
  return {
    routes: { all: { path: "/", path_prefix: true, backends: [{ url }], ...more } },
    listeners: { h: { address: "127.0.0.1:0", http } },
    settings,
  };
}

function connect(gateway: TestProxy): Http2Client {
  const client = new Http2Client(gateway.port);
  open.push(client);
  return client;
}

/** Answers each request on a connection of its own with the body that came. */
const echo = () =>
  new RawOrigin((socket, all) => {
    const [head = "", body = ""] = all.split(/\r\n\r\n(.*)/s);
    const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? -1);
    if (body.length === length) socket.end(ok(body, "Connection: close"), "latin1");
  });

const GET: [string, string][] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/"],
  [":authority", "gateway.test"],
];

describe("HTTP/2 with prior knowledge", () => {
  it("is spoken on the port of HTTP/1.1, and routed and forwarded the same way", async () => {
    const upstream = await origin(answering(ok("hi", "Connection: x-hop", "X-Hop: 1", "Keep-Alive: timeout=5")));
    const gateway = await proxy(upstream.url);
    const { status, headers, body } = await connect(gateway).get("/a?b=c", { "x-request-id": "me-2", cookie: "a=1" });
    assert.deepEqual([status, body], [200, "hi"]);
    assert.deepEqual(Object.keys(headers).sort(), [":status", "content-length", "date", "x-request-id"]);
    assert.equal(
      upstream.received[0],
      `GET /a?b=c HTTP/1.1\r\nHost: 127.0.0.1:${upstream.port}\r\ncookie: a=1\r\n` +
        "X-Forwarded-For: 127.0.0.1\r\nX-Forwarded-Proto: http\r\n" +
        `X-Forwarded-Host: 127.0.0.1:${gateway.port}\r\nX-Request-ID: me-2\r\n\r\n`,
    );
    assert.match(await gateway.client().get("/").until(/hi$/), /^HTTP\/1.1 200/);
  });

  it("is understood in any pieces", async () => {
    const upstream = await origin(answering(ok("hi")));
    const client = (await proxy(upstream.url)).client();
    for (const octet of PREFACE + frame(FRAME.headers, END_STREAM | END_HEADERS, 1, block(GET))) {
      client.send(octet);
      await new Promise((resolve) => setImmediate(resolve));
    }
    const received = await client.until(/hi$/);
    assert.ok(framesIn(received).some(({ type }) => type === FRAME.headers));
  });

  it("is refused with 505 where it is switched off, and after a request of HTTP/1.1", async () => {
    const upstream = await origin(answering(ok("hi")));
    const off = await proxy(upstream.url, {}, { http2: false });
    assert.match(await off.client().send(PREFACE).untilClosed(), /^HTTP\/1.1 505 /);
    const on = (await proxy(upstream.url)).client().get("/");
    await on.until(/hi$/);
    assert.match(await on.send(PREFACE).untilClosed(), /^HTTP\/1.1 505 /);
  });

  it("serves many streams at a time, and gives each its own answer", async () => {
    const upstream = await origin(
      new RawOrigin((socket, all) => {
        const path = [...all.matchAll(/GET (\S+)/g)].at(-1)?.[1] ?? "";
        if (all.endsWith("\r\n\r\n")) setTimeout(() => socket.write(ok(path)), Number(path.slice(1)) % 7);
      }),
    );
    const client = connect(await proxy(upstream.url));
    const paths = Array.from({ length: 300 }, (_, index) => `/${index}`);
    const bodies = await Promise.all(paths.map(async (path) => (await client.get(path)).body));
    assert.deepEqual(bodies, paths);
  });

  it("lets a client have as many streams at a time as the listener says", async () => {
    const upstream = await origin(answering(ok("hi")));
    const client = connect(await proxy(upstream.url, {}, { max_concurrent_streams: 7 }));
    await client.get("/");
    assert.equal(client.session.remoteSettings.maxConcurrentStreams, 7);
  });
});

describe("a body over HTTP/2", () => {
  it("goes both ways whole, with its length", async () => {
    const upstream = await origin(echo());
    const client = connect(await proxy(upstream.url));
    const text = "0123456789abcdef".repeat(65_536);
    const request = client.open({ ":method": "POST", "content-length": String(text.length) }, false);
    request.stream.end(text);
    assert.ok((await request.answer()).body === text);
  });

  it("is sent on in chunks when its length is not known", async () => {
    const upstream = await origin(
      new RawOrigin((socket, all) => void (all.endsWith("0\r\n\r\n") && socket.write(ok("got it")))),
    );
    const client = connect(await proxy(upstream.url));
    const request = client.open({ ":method": "POST" }, false);
    request.stream.write("one");
    await eventually(() => upstream.received[0]?.endsWith("3\r\none\r\n") === true, "the first piece");
    request.stream.end("two");
    assert.equal((await request.answer()).body, "got it");
    assert.match(
      upstream.received[0]!,
      /transfer-encoding: chunked\r\n[\s\S]*\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n$/i,
    );
  });

  it("of a chunked response arrives without chunks, and that of one that ends with the connection too", async () => {
    for (const text of [
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n1\r\n!\r\n0\r\n\r\n",
      "HTTP/1.0 200 OK\r\n\r\nhi!",
    ]) {
      const upstream = await origin(new RawOrigin((socket) => void socket.end(text)));
      const client = connect(await proxy(upstream.url));
      const { headers, body } = await client.get("/");
      assert.equal(body, "hi!");
      assert.deepEqual(Object.keys(headers).sort(), [":status", "date", "x-request-id"]);
    }
  });

  it("is held back by a client that does not read, and then arrives whole", async () => {
    const piece = Buffer.alloc(1_048_576, "x");
    let sent = 0;
    const upstream = await origin(
      new RawOrigin((socket) => {
        socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${32 * piece.length}\r\n\r\n`);
        const more = () => {
          while (sent < 32 && socket.write(piece)) sent++;
          if (sent++ < 32) socket.once("drain", more);
        };
        more();
      }),
    );
    const gateway = await proxy(upstream.url);
    const client = connect(gateway);
    const request = client.open({});
    request.stream.on("response", () => request.stream.pause());
    let before = 0;
    let stood = 0;
    await eventually(() => {
      const now = upstream.sockets[0]?.bytesWritten ?? 0;
      stood = now > 0 && now === before && request.headers !== undefined ? stood + 1 : 0;
      before = now;
      return stood === 20;
    }, "the origin to be held back");
    assert.ok(upstream.sockets[0]!.writableNeedDrain);
    request.stream.resume();
    assert.equal((await request.answer()).body.length, 32 * piece.length);
  });

  it("is not there in answers to HEAD, in 204 and in 304", async () => {
    for (const [method, text, length] of [
      ["HEAD", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", "5"],
      ["GET", "HTTP/1.1 204 No Content\r\n\r\n", undefined],
      ["GET", "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "5"],
    ] as const) {
      const upstream = await origin(answering(text));
      const client = connect(await proxy(upstream.url));
      const { headers, body } = await client.open({ ":method": method }).answer();
      assert.deepEqual([body, headers["content-length"]], ["", length]);
    }
  });
});

describe("an answer over HTTP/2", () => {
  it("keeps fields that stand more than once", async () => {
    const upstream = await origin(
      answering(ok("hi", "Set-Cookie: a=1", "Set-Cookie: b=2", "Content-Type: text/a", "Content-Type: text/b")),
    );
    const { headers } = await connect(await proxy(upstream.url)).get("/");
    assert.deepEqual(headers["set-cookie"], ["a=1", "b=2"]);
  });

  it("has a head as large as the upstream's, however many frames that takes", async () => {
    const fields = Array.from({ length: 10 }, (_, index) => `X-${index}: ${String(index).repeat(4_000)}`);
    const upstream = await origin(answering(ok("hi", ...fields)));
    const { headers, body } = await connect(await proxy(upstream.url)).get("/");
    assert.equal(body, "hi");
    for (let index = 0; index < 10; index++) assert.equal(headers[`x-${index}`], String(index).repeat(4_000));
  });

  it("follows early hints and 100, when the upstream sends them", async () => {
    const upstream = await origin(
      new RawOrigin((socket, all) => {
        if (all.endsWith("\r\n\r\n"))
          socket.write("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\nLink: </b>\r\n\r\nHTTP/1.1 100 Continue\r\n\r\n");
        else socket.write(ok("done"));
      }),
    );
    const client = connect(await proxy(upstream.url));
    const request = client.open({ ":method": "POST", expect: "100-continue", "content-length": "4" }, false);
    request.stream.on("continue", () => request.stream.end("body"));
    assert.equal((await request.answer()).body, "done");
    assert.ok(request.informational.includes(103));
  });

  it("is cut, and never complete, when the upstream's was", async () => {
    for (const text of [
      "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\nx",
    ]) {
      const upstream = await origin(new RawOrigin((socket) => void socket.end(text)));
      const client = (await proxy(upstream.url)).client();
      client.send(PREFACE + frame(FRAME.headers, END_STREAM | END_HEADERS, 1, block(GET)));
      await eventually(
        () => framesIn(client.received).some(({ type }) => type === FRAME.rstStream),
        "the reset of the stream",
      );
      const octets = Buffer.from(client.received, "latin1");
      for (let at = 0; at < octets.length; at += 9 + octets.readUIntBE(at, 3))
        if (octets[at + 3] === FRAME.data || octets[at + 3] === FRAME.headers)
          assert.equal(octets[at + 4]! & END_STREAM, 0);
    }
  });
});

describe("a client of HTTP/2", () => {
  it("that takes its request back has the upstream's cancelled, and its connection kept", async () => {
    const upstream = await origin(
      new RawOrigin((socket, all) => void (/GET \/now/.test(all) && socket.write(ok("hi")))),
    );
    const gateway = await proxy(upstream.url);
    const client = connect(gateway);
    const request = client.open({ ":path": "/wait" });
    await eventually(() => upstream.received[0]?.includes("/wait") === true, "the request upstream");
    request.stream.close(constants.NGHTTP2_CANCEL);
    await eventually(() => upstream.sockets[0]!.destroyed, "the end of the request upstream");
    assert.equal(gateway.state.sum("clientsGone"), 1);
    assert.equal((await client.get("/now")).body, "hi");
  });

  it("that goes away has all its requests cancelled", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const gateway = await proxy(upstream.url);
    const client = connect(gateway);
    for (let index = 0; index < 5; index++) client.open({ ":path": `/${index}` });
    await eventually(() => upstream.sockets.length === 5, "the requests upstream");
    client.session.destroy();
    await eventually(() => upstream.sockets.every((socket) => socket.destroyed), "the end of the requests upstream");
    await eventually(() => gateway.state.sum("activeConnections") === 0, "the end of the connection");
    assert.equal(gateway.state.sum("activeRequests"), 0);
  });

  it("is told 404, 413 and 431 on a connection that goes on", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(upstream.url, { max_body_size: 4, match: { domains: ["gateway.test"] } });
    const client = connect(gateway);
    const host = { ":authority": "gateway.test" };
    assert.equal((await client.get("/")).status, 404);
    const told = client.open({ ...host, ":method": "POST", "content-length": "5" }, false);
    assert.equal((await told.answer()).status, 413);
    const untold = client.open({ ...host, ":method": "POST" }, false);
    untold.stream.write("12345");
    assert.equal((await untold.answer()).status, 413);
    assert.equal((await client.get("/", { ...host, "x-large": "y".repeat(20_000) })).status, 431);
    assert.equal((await client.get("/", host)).body, "hi");
  });

  it("gets all of the answer to an upload that is refused, and only then a reset that says that nothing is wrong", async () => {
    const upstream = await origin(answering(ok("hi")));
    const client = (await proxy(upstream.url, { max_body_size: 4 })).client();
    const head = block([[":method", "POST"], ...GET.slice(1), ["content-length", "9999999"]]);
    const piece = frame(FRAME.data, 0, 1, "x".repeat(16_000));
    client.send(PREFACE + frame(FRAME.headers, END_HEADERS, 1, head) + piece.repeat(2));
    // Short of the length that it said: of no interest to anybody any more.
    const ofStream = () => framesIn(client.received).filter(({ type }) => [0, 1, 3].includes(type));
    await eventually(() => ofStream().length === 2, "the answer");
    client.send(frame(FRAME.data, END_STREAM, 1, "short"));
    await eventually(() => ofStream().at(-1)?.type === FRAME.rstStream, "the reset");
    const [first, answer, last, ...more] = ofStream();
    assert.deepEqual([first?.type, answer?.type, last?.payload, more], [FRAME.headers, FRAME.data, "\0\0\0\0", []]);
  });

  it("is told 408 when its body does not come", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const client = connect(await proxy(upstream.url, {}, { read_timeout: "100ms" }));
    const request = client.open({ ":method": "POST", "content-length": "5" }, false);
    request.stream.write("12");
    assert.equal((await request.answer()).status, 408);
    await eventually(() => upstream.sockets[0]!.destroyed, "the end of the request upstream");
  });

  it("is dropped when it reads nothing of its answer", async () => {
    const upstream = await origin(new RawOrigin((socket) => void socket.write(ok("x".repeat(1_000_000)))));
    const gateway = await proxy(upstream.url, {}, { write_timeout: "100ms" });
    const client = connect(gateway);
    const request = client.open({});
    request.stream.on("response", () => request.stream.pause());
    await eventually(
      () => gateway.state.sum("activeRequests") === 0 && upstream.sockets[0]?.destroyed === true,
      "the drop",
    );
    request.stream.resume();
    assert.equal(await request.reset(), constants.NGHTTP2_CANCEL);
  });

  it("is disconnected when it does not even read frames", async () => {
    const upstream = await origin(
      new RawOrigin((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 99000000\r\n\r\n");
        for (let sent = 0; sent < 30; sent++) socket.write(Buffer.alloc(1_000_000));
      }),
    );
    const gateway = await proxy(upstream.url, {}, { write_timeout: "100ms", idle_timeout: "100ms" });
    const client = gateway.client();
    const window = "\x7f\xff\x00\x00";
    client.send(PREFACE + frame(FRAME.settings, 0, 0, `\0\x04${window}`) + frame(FRAME.windowUpdate, 0, 0, window));
    client.send(frame(FRAME.headers, END_STREAM | END_HEADERS, 1, block(GET)));
    await eventually(() => client.received.length > 100_000, "the beginning of the answer");
    client.socket.pause();
    await eventually(() => gateway.state.sum("activeRequests") === 0, "the end of the request");
    await eventually(() => gateway.state.sum("activeConnections") === 0, "the end of the connection");
  });

  it("is said goodbye when it asks for nothing for long", async () => {
    const upstream = await origin(answering(ok("hi")));
    const client = connect(await proxy(upstream.url, {}, { idle_timeout: "100ms" }));
    await client.get("/");
    await client.untilClosed();
    assert.equal(client.goaway, constants.NGHTTP2_NO_ERROR);
  });

  it("gets nothing through to an upstream that would mean something else in HTTP/1.1", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(upstream.url);
    for (const field of [
      ["transfer-encoding", "chunked"],
      ["connection", "close"],
      ["upgrade", "h2c"],
      ["host", "other.test"],
      ["content-length", "5"],
      ["x", "a\r\ny: b"],
      ["x\r\ny", "a"],
      ["x:y", "a"],
      ["Content-Length", "0"],
    ] as [string, string][]) {
      const client = gateway.client();
      client.send(PREFACE + frame(FRAME.headers, END_STREAM | END_HEADERS, 1, block([...GET, field])));
      const isOver = () =>
        framesIn(client.received).some(({ type }) =>
          [FRAME.headers, FRAME.rstStream, FRAME.goaway].includes(type as 1),
        );
      await eventually(isOver, JSON.stringify(field));
      client.close();
    }
    for (const received of upstream.received)
      assert.doesNotMatch(received, /transfer-|connection|upgrade|other|length|\ny:|\nx:|\nx\r/i);
  });

  it("that sends another length than it said never completes a request", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const gateway = await proxy(upstream.url);
    for (const body of ["1234", "123456"]) {
      const client = gateway.client();
      const head = block([[":method", "POST"], ...GET.slice(1), ["content-length", "5"]]);
      client.send(PREFACE + frame(FRAME.headers, END_HEADERS, 1, head) + frame(FRAME.data, END_STREAM, 1, body));
      await client.until(/"status":400/);
    }
    await eventually(() => gateway.state.sum("activeRequests") === 0, "the end of the requests");
    for (const received of upstream.received) assert.doesNotMatch(received, /\r\n\r\n12345/);
  });
});

describe("a flood over HTTP/2", () => {
  it("of requests that are taken back at once ends the connection", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const gateway = await proxy(upstream.url);
    const client = gateway.client().send(PREFACE);
    const cancel = "\0\0\0\x08";
    for (let stream = 1; stream < 2_001; stream += 2)
      client.send(
        frame(FRAME.headers, END_STREAM | END_HEADERS, stream, block(GET)) + frame(FRAME.rstStream, 0, stream, cancel),
      );
    await client.untilClosed();
    await eventually(() => gateway.state.sum("http2Floods") === 1, "the count of the flood");
    await eventually(() => gateway.state.sum("activeConnections") === 0, "the end of the connection");
    assert.ok(upstream.received.length < 1_000);
  });

  for (const [what, one] of [
    ["pings", frame(FRAME.ping, 0, 0, "12345678")],
    ["settings", frame(FRAME.settings, 0, 0, "\0\x04\0\0\xff\xff")],
  ] as const)
    it(`of ${what} ends the connection`, async () => {
      const upstream = await origin(answering(ok("hi")));
      const gateway = await proxy(upstream.url);
      const client = gateway.client().send(PREFACE);
      for (let count = 0; count < 2_000; count++) client.send(one);
      await client.untilClosed();
      const last = framesIn(client.received).findLast(({ type }) => type === FRAME.goaway);
      assert.equal(last?.payload.charCodeAt(7), constants.NGHTTP2_ENHANCE_YOUR_CALM);
    });

  it("of header pieces without an end ends the connection", async () => {
    const upstream = await origin(answering(ok("hi")));
    const client = (await proxy(upstream.url)).client().send(PREFACE);
    client.send(frame(FRAME.headers, 0, 1, block(GET)));
    for (let count = 0; count < 100; count++)
      client.send(frame(FRAME.continuation, 0, 1, block([["x", "y".repeat(100)]])));
    await client.untilClosed();
    assert.deepEqual(upstream.received, []);
  });
});

describe("the end of an HTTP/2 listener", () => {
  it("lets the client finish what it began, and then says goodbye", async () => {
    let respond = () => {};
    const upstream = await origin(
      new RawOrigin((socket) => {
        respond = () => socket.write(ok("late"));
      }),
    );
    const gateway = await proxy(upstream.url);
    const client = connect(gateway);
    const request = client.open({});
    await eventually(() => upstream.received.length === 1, "the request upstream");
    const stopped = gateway.stop();
    open.splice(open.indexOf(gateway), 1);
    await eventually(() => client.goaway !== undefined, "the notice");
    respond();
    assert.equal((await request.answer()).body, "late");
    await client.untilClosed();
    assert.equal(client.goaway, constants.NGHTTP2_NO_ERROR);
    await stopped;
  });

  it("comes with the next answer while the gateway drains", async () => {
    const upstream = await origin(answering(ok("hi")));
    const gateway = await proxy(upstream.url);
    const client = connect(gateway);
    await gateway.drain(true);
    assert.equal((await client.get("/")).body, "hi");
    await client.untilClosed();
    assert.equal(client.goaway, constants.NGHTTP2_NO_ERROR);
  });
});
