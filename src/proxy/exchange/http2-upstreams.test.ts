import assert from "node:assert/strict";
import { constants, type ServerHttp2Stream } from "node:http2";
import { createServer } from "node:net";
import { afterEach, describe, it } from "node:test";
import { cutStream } from "../../http/http2/cut-stream.ts";
import { block, FRAME, frame, framesIn, Http2Client } from "../testing/http2-client.ts";
import { Http2Origin, type Respond } from "../testing/http2-origin.ts";
import { answering, eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const END_STREAM = 1;
const END_HEADERS = 4;

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

interface Started {
  readonly url: string;
  start(): Promise<unknown>;
  stop(): Promise<void>;
}

async function gatewayTo(upstream: Started, transport: object = {}, route: object = {}): Promise<TestProxy> {
  await upstream.start();
  open.push(upstream);
  const gateway = new TestProxy();
  open.push(gateway);
  await gateway.apply(sketch(upstream.url, transport, route));
  return gateway;
}

function sketch(url: string, transport: object = {}, route: object = {}) {
  const backends = [{ url, http2: true }];
  return { routes: { all: { path: "/", path_prefix: true, backends, ...route } }, settings: { transport } };
}

function http2(gateway: TestProxy): Http2Client {
  const client = new Http2Client(gateway.port);
  open.push(client);
  return client;
}

const echo: Respond = (stream) => {
  stream.respond({ ":status": 200 });
  stream.pipe(stream);
};
const hello: Respond = (stream) => {
  stream.respond({ ":status": 200, "content-length": "5" });
  stream.end("hello");
};

describe("a target of HTTP/2", () => {
  it("gets the request as a stream, and its answer becomes one of HTTP/1.1", async () => {
    const seen: unknown[] = [];
    const origin = new Http2Origin((stream, headers) => {
      seen.push(headers[":method"], headers[":path"], headers[":scheme"], headers[":authority"], headers["x-a"]);
      assert.deepEqual(
        [headers.connection, headers.host, headers["transfer-encoding"]],
        [undefined, undefined, undefined],
      );
      stream.respond({ ":status": 201, "x-b": ["1", "2"] });
      stream.write("he");
      stream.end("llo");
    });
    const gateway = await gatewayTo(origin);
    const client = gateway.client();
    for (let count = 0; count < 2; count++) {
      const answer = await client
        .get("/a?b=c", "X-A: y", "Connection: keep-alive, x-c", "X-C: d")
        .until(/\r\n0\r\n\r\n$/);
      assert.match(answer, /^HTTP\/1\.1 201 Created\r\nx-b: 1\r\nx-b: 2\r\n.*Transfer-Encoding: chunked\r\n/s);
      assert.match(answer, /\r\n\r\n(?:2\r\nhe\r\n3\r\nllo|5\r\nhello)\r\n0\r\n\r\n$/);
    }
    assert.deepEqual(seen.slice(5), ["GET", "/a?b=c", "http", `127.0.0.1:${origin.port}`, "y"]);
    assert.equal(origin.sessions.length, 1);
  });

  it("tells the length of its body, and where there is none", async () => {
    const gateway = await gatewayTo(
      new Http2Origin((stream, headers) => {
        const status = Number(headers["x-status"] ?? 200);
        const length = headers[":method"] === "HEAD" || status === 304 ? { "content-length": "77" } : {};
        stream.respond({ ":status": status, ...length }, { endStream: true });
      }),
    );
    const client = gateway.client();
    assert.match(await client.get("/").until(/\r\n\r\n$/), /200 OK\r\n.*Content-Length: 0\r\n/s);
    assert.match(await client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").until(/\r\n\r\n$/), /Content-Length: 77\r\n/s);
    assert.match(await client.get("/", "X-Status: 304").until(/\r\n\r\n$/), /304 .*Content-Length: 77\r\n/s);
    assert.doesNotMatch(await client.get("/", "X-Status: 204").until(/\r\n\r\n$/), /Content-Length/);
  });

  it("gets large bodies and gives them back, whatever the client speaks", async () => {
    const gateway = await gatewayTo(new Http2Origin(echo));
    const body = Buffer.alloc(3_000_000, "0123456789").toString();
    const client = gateway.client();
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`);
    const answer = await client.until(/\r\n0\r\n\r\n$/);
    assert.equal(answer.replace(/^.*?\r\n\r\n/s, "").replace(/(?:^|\r\n)[0-9a-f]+\r\n/g, "").length, body.length + 2);
    const request = http2(gateway).open({ ":method": "POST" }, false);
    request.stream.end(body);
    assert.equal((await request.answer()).body, body);
  });

  it("is asked to go on when the client waits for that, and gives hints before its answer", async () => {
    const gateway = await gatewayTo(
      new Http2Origin((stream, headers) => {
        assert.equal(headers.expect, "100-continue");
        stream.additionalHeaders({ ":status": 103, link: "a" });
        stream.additionalHeaders({ ":status": 100 });
        stream.once("data", () => stream.respond({ ":status": 200, "content-length": "0" }, { endStream: true }));
      }),
    );
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 1\r\n\r\n");
    assert.match(await client.until(/100 Continue\r\n\r\n$/), /^HTTP\/1\.1 103 Early Hints\r\nlink: a\r\n\r\n/);
    assert.match(await client.send("x").until(/\r\n\r\n$/), /^HTTP\/1\.1 200 OK/);
  });

  it("gets trailers that were announced and gives its own, without any in between", async () => {
    const gateway = await gatewayTo(
      new Http2Origin((stream) => {
        stream.on("trailers", (fields) => {
          stream.respond({ ":status": 200 }, { waitForTrailers: true });
          stream.on("wantTrailers", () => stream.sendTrailers({ "x-got": String(fields["x-sum"]), host: "evil" }));
          stream.end("hi");
        });
        stream.resume();
      }),
    );
    const client = http2(gateway);
    for (let count = 0; count < 2; count++) {
      const request = client.open({ ":method": "POST", trailer: "x-sum" }, false, { "x-sum": "1", "x-other": "2" });
      request.stream.end("a");
      const { body, trailers } = await request.answer();
      assert.deepEqual([body, trailers], ["hi", { "x-got": "1" }]);
    }
    const old = gateway.client();
    old.send("POST / HTTP/1.1\r\nHost: a\r\nTE: trailers\r\nTrailer: X-Sum\r\nTransfer-Encoding: chunked\r\n\r\n");
    assert.match(
      await old.send("1\r\na\r\n0\r\nX-Sum: 7\r\n\r\n").until(/\r\n0\r\n.*\r\n\r\n$/s),
      /\r\n0\r\nx-got: 7\r\n\r\n$/,
    );
  });
});

const CLIENT_PREFACE = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

/** How many heads of requests are in what a target received. */
function requestsIn(received: string): number {
  return framesIn(received.slice(CLIENT_PREFACE.length)).filter(({ type }) => type === FRAME.headers).length;
}

describe("connections to a target of HTTP/2", () => {
  /** Holds every request until `count` are there. */
  function gathering(count: number): Respond {
    const waiting: ServerHttp2Stream[] = [];
    return (stream) => {
      waiting.push(stream);
      if (waiting.length < count) return;
      for (const one of waiting.splice(0)) {
        one.respond({ ":status": 200, "content-length": "2" });
        one.end("hi");
      }
    };
  }

  it("serve many requests at a time", async () => {
    const origin = new Http2Origin(gathering(50));
    const client = http2(await gatewayTo(origin));
    await Promise.all(Array.from({ length: 50 }, () => client.get("/")));
    await Promise.all(Array.from({ length: 50 }, () => client.get("/")));
    assert.equal(origin.sessions.length, 1);
  });

  it("are as many as the streams need that each may have, and requests are spread over them", async () => {
    const origin = new Http2Origin(gathering(12));
    const client = http2(await gatewayTo(origin, { max_streams_per_conn: 4 }));
    await Promise.all(Array.from({ length: 12 }, () => client.get("/")));
    assert.equal(origin.sessions.length, 3);
    const perSession = origin.sessions.map((session) => origin.streams.filter((stream) => stream.session === session));
    assert.ok(perSession.every((streams) => streams.length <= 4));
  });

  it("have no more streams than the target allows", async () => {
    const origin = new Http2Origin(gathering(6), { maxConcurrentStreams: 2 });
    const gateway = await gatewayTo(origin);
    const client = http2(gateway);
    // The first connection has to say what it allows before the others are due.
    const first = client.get("/");
    await eventually(() => origin.streams.length === 1, "the first request");
    await Promise.all([first, ...Array.from({ length: 5 }, () => client.get("/"))]);
    assert.equal(origin.sessions.length, 3);
  });

  it("are refused beyond the limit of connections, as overload", async () => {
    const origin = new Http2Origin(() => {});
    const client = http2(await gatewayTo(origin, { max_streams_per_conn: 1, max_conns_per_host: 2 }));
    const held = [client.get("/"), client.get("/")];
    await eventually(() => origin.streams.length === 2, "two requests");
    assert.equal((await client.get("/")).status, 503);
    for (const stream of origin.streams) hello(stream, {});
    assert.deepEqual(
      (await Promise.all(held)).map(({ body }) => body),
      ["hello", "hello"],
    );
  });

  it("close once they were idle for long enough", async () => {
    const origin = new Http2Origin(hello);
    const gateway = await gatewayTo(origin, { idle_conn_timeout: "1ms" });
    await gateway
      .client()
      .get("/")
      .until(/hello$/);
    await eventually(() => origin.sessions[0]!.destroyed, "the end of the connection");
  });

  it("are left when the configuration names the target no more, and requests in flight are finished", async () => {
    const origin = new Http2Origin(gathering(2));
    const gateway = await gatewayTo(origin);
    const client = http2(gateway);
    const held = client.get("/");
    await eventually(() => origin.streams.length === 1, "the request");
    await gateway.apply(sketch("http://127.0.0.1:1"));
    const late = origin.streams[0]!;
    late.respond({ ":status": 200 });
    late.end("late");
    assert.equal((await held).body, "late");
    await eventually(() => origin.sessions[0]!.destroyed, "the end of the connection");
  });

  it("that are silent are asked whether they are there, and ended when they are not", async () => {
    const pings: number[] = [];
    const origin = new Http2Origin(() => {});
    const gateway = await gatewayTo(origin, { http2_ping_interval: "1ms" });
    const answer = http2(gateway).get("/");
    await eventually(() => origin.sessions.length === 1, "the connection");
    origin.sessions[0]!.on("ping", () => pings.push(1));
    await eventually(() => pings.length > 1, "two pings");
    origin.streams[0]!.respond({ ":status": 204 }, { endStream: true });
    assert.equal((await answer).status, 204);
  });

  it("that said nothing until a request was too late are used no more", async () => {
    let isSilent = true;
    const origin = new Http2Origin((stream, headers) => {
      if (!isSilent) hello(stream, headers);
    });
    const client = http2(await gatewayTo(origin, {}, { timeout_policy: { request: "1ms" } }));
    assert.equal((await client.get("/")).status, 504);
    isSilent = false;
    await eventually(() => origin.sessions[0]!.destroyed, "the end of the connection");
    assert.equal(origin.streams[0]!.rstCode, constants.NGHTTP2_CANCEL);
  });

  it("are not opened to a target that does not speak HTTP/2", async () => {
    const gateway = await gatewayTo(answering(ok("hi")));
    assert.match(await gateway.client().get("/").until(/\}\n$/), /^HTTP\/1\.1 502 /);
    const nobody = createServer();
    await new Promise<void>((resolve) => nobody.listen(0, "127.0.0.1", resolve));
    const { port } = nobody.address() as { port: number };
    await new Promise((closed) => nobody.close(closed));
    await gateway.apply(sketch(`http://127.0.0.1:${port}`));
    assert.match(await gateway.client().get("/").until(/\}\n$/), /^HTTP\/1\.1 502 .*RW_UPSTREAM_REFUSED/s);
  });
});

describe("a target of HTTP/2 that goes away", () => {
  it("with a GOAWAY finishes what it has, and gets what it has not begun on another connection", async () => {
    const waiting: ServerHttp2Stream[] = [];
    const origin = new Http2Origin((stream, headers) => {
      if (headers[":path"] === "/wait") waiting.push(stream);
      else hello(stream, headers);
    });
    const client = http2(await gatewayTo(origin));
    const held = client.get("/wait");
    await eventually(() => waiting.length === 1, "the request");
    origin.sessions[0]!.goaway(constants.NGHTTP2_NO_ERROR, 1);
    await eventually(() => origin.sessions[0]!.closed || true, "");
    assert.equal((await client.get("/")).body, "hello");
    hello(waiting[0]!, {});
    assert.equal((await held).body, "hello");
    await eventually(() => origin.sessions[0]!.destroyed, "the end of the first connection");
  });

  it("and did not process a request gets it again on another connection, whatever its method", async () => {
    const settings = frame(FRAME.settings, 0, 0, "");
    const goaway = frame(FRAME.goaway, 0, 0, "\0\0\0\0\0\0\0\0");
    const answer = frame(FRAME.headers, END_HEADERS | END_STREAM, 1, block([[":status", "204"]]));
    const origin = new RawOrigin((socket, all, connection) => {
      if (requestsIn(all) > 0) socket.write(settings + (connection === 0 ? goaway : answer), "latin1");
    });
    const client = http2(await gatewayTo(origin));
    assert.equal((await client.open({ ":method": "POST" }).answer()).status, 204);
    assert.deepEqual(origin.received.map(requestsIn), [1, 1]);
  });

  it("and refuses a stream gets the request again once", async () => {
    let refusals = 0;
    const origin = new Http2Origin((stream, headers) => {
      if (headers[":path"] === "/always" || refusals === 0) {
        refusals++;
        stream.close(constants.NGHTTP2_REFUSED_STREAM);
      } else hello(stream, headers);
    });
    const client = http2(await gatewayTo(origin));
    assert.equal((await client.open({ ":method": "POST" }).answer()).body, "hello");
    assert.equal(refusals, 1);
    assert.equal((await client.get("/always")).status, 502);
    assert.equal(refusals, 3);
  });

  it("by breaking off gets what may be sent twice on another connection, and nothing else", async () => {
    for (const [method, status] of [
      ["GET", 200],
      ["POST", 502],
    ] as const) {
      const origin = new Http2Origin((stream, headers) => {
        if (headers[":path"] === "/die" && origin.sessions.length === 1) origin.sessions[0]!.destroy();
        else hello(stream, headers);
      });
      const client = http2(await gatewayTo(origin));
      assert.equal((await client.get("/")).body, "hello");
      assert.equal((await client.open({ ":method": method, ":path": "/die" }).answer()).status, status);
      assert.equal(origin.streams.length, method === "GET" ? 3 : 2);
    }
  });
});

describe("a target of HTTP/2 that does not answer", () => {
  const hint: Respond = (stream) => stream.additionalHeaders({ ":status": 103 });
  const table: [what: string, status: number, code: string, respond: Respond][] = [
    ["closes at once", 502, "RW_UPSTREAM_RESET", (stream) => stream.session?.destroy()],
    ["ends its connection with an error", 502, "RW_UPSTREAM_RESET", (stream) => stream.session?.goaway(2, 2 ** 31 - 1)],
    ["resets the stream", 502, "RW_UPSTREAM_RESET", (stream) => cutStream(stream, constants.NGHTTP2_INTERNAL_ERROR)],
    ["resets the stream without an error", 502, "RW_UPSTREAM_RESET", (stream) => cutStream(stream, 0)],
    ["hangs", 504, "RW_UPSTREAM_TIMEOUT", () => {}],
    ["hangs after a hint", 504, "RW_UPSTREAM_TIMEOUT", hint],
  ];
  for (const [what, status, code, respond] of table)
    it(`but ${what}: ${status}, and the request was sent once`, async () => {
      for (const request of [
        "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx",
      ]) {
        const origin = new Http2Origin(respond);
        const gateway = await gatewayTo(origin, {}, { timeout_policy: { request: "200ms" } });
        const answer = await gateway.client().send(request).until(/\}\n$/);
        assert.match(answer, new RegExp(`HTTP/1.1 ${status} .*${code}`, "s"));
        assert.equal(origin.streams.length, 1);
      }
    });

  it("to the end: what it began is cut", async () => {
    const origin = new Http2Origin((stream) => {
      stream.respond({ ":status": 200 });
      stream.write("begun");
    });
    const gateway = await gatewayTo(origin, {}, { timeout_policy: { idle: "100ms" } });
    const answer = await gateway.client().get("/").untilClosed();
    assert.match(answer, /^HTTP\/1\.1 200 .*begun/s);
    assert.doesNotMatch(answer, /\r\n0\r\n/);
    await eventually(() => origin.streams[0]!.destroyed, "the end of the stream");
  });
});

describe("a response of HTTP/2 that is cut", () => {
  const cuts: Record<string, (stream: ServerHttp2Stream) => void> = {
    "by a reset": (stream) => cutStream(stream, constants.NGHTTP2_INTERNAL_ERROR),
    "by a reset that calls itself no error": (stream) => cutStream(stream, constants.NGHTTP2_NO_ERROR),
    "by the end of the connection": (stream) => void stream.session?.destroy(),
  };
  for (const [what, cut] of Object.entries(cuts))
    it(`${what} is cut for the client too`, async () => {
      const origin = new Http2Origin((stream) => {
        stream.respond({ ":status": 200 });
        stream.write("begun", () => setImmediate(cut, stream));
      });
      const gateway = await gatewayTo(origin);
      assert.doesNotMatch(await gateway.client().get("/").untilClosed(), /\r\n0\r\n/);
      const request = http2(gateway).open({ ":path": "/" });
      await request.reset();
      assert.equal(request.isComplete, false);
      assert.equal(gateway.state.sum("gatewayFailures"), 2);
    });
});

/** A target that answers its first request with these frames. */
function framing(frames: string): RawOrigin {
  return new RawOrigin((socket, all) => {
    if (requestsIn(all) === 0) return;
    socket.removeAllListeners("data");
    socket.write(frame(FRAME.settings, 0, 0, "") + frames, "latin1");
  });
}

describe("a target of HTTP/2 that answers what is not valid", () => {
  const status = [":status", "200"] as const;
  const head = (...fields: (readonly [string, string])[]) => frame(FRAME.headers, END_HEADERS, 1, block(fields));
  const data = (text: string) => frame(FRAME.data, END_STREAM, 1, text);
  const trailers = (...fields: (readonly [string, string])[]) =>
    frame(FRAME.headers, END_HEADERS | END_STREAM, 1, block(fields));

  it("would have been taken otherwise", async () => {
    const gateway = await gatewayTo(
      framing(head(status, ["a", "b"]) + frame(FRAME.data, 0, 1, "hi") + trailers(["c", "d"])),
    );
    const client = gateway.client().get("/", "TE: trailers");
    assert.match(await client.until(/d\r\n\r\n$/), /200 OK\r\na: b\r\n.*\r\n\r\n2\r\nhi\r\n0\r\nc: d\r\n\r\n$/s);
  });

  const table: Record<string, string> = {
    "no status": head(["a", "b"]) + data(""),
    "a status that is none": head([":status", "2x0"]) + data(""),
    "a status beyond those of HTTP": head([":status", "600"]) + data(""),
    "two statuses": head(status, status) + data(""),
    "a field in capitals": head(status, ["A", "b"]) + data(""),
    "a field about the connection": head(status, ["connection", "close"]) + data(""),
    "a coding": head(status, ["transfer-encoding", "chunked"]) + data(""),
    "two lengths": head(status, ["content-length", "1"], ["content-length", "1"]) + data("a"),
    "a length that is no number": head(status, ["content-length", "+1"]) + data("a"),
    "a length and no body": frame(FRAME.headers, END_HEADERS | END_STREAM, 1, block([status, ["content-length", "1"]])),
    "a switch of protocols": head([":status", "101"]) + data(""),
    "17 interim heads": head([":status", "103"]).repeat(17) + head(status) + data(""),
    "too many fields": head(status, ...Array.from({ length: 150 }, () => ["a", "b"] as const)) + data(""),
    "what is no frame": "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
  };
  for (const [what, frames] of Object.entries(table))
    it(`(${what}) fails the request`, async () => {
      const answer = await (await gatewayTo(framing(frames))).client().get("/").until(/\}\n$/);
      assert.match(answer, /HTTP\/1\.1 502 .*RW_UPSTREAM_(?:INVALID|RESET)/s);
    });

  it("in a value loses the field", async () => {
    for (const value of ["b\r\nc: d", "b\nc: d", "b\rc", "b\0c"]) {
      const frames = head(status, ["a", value], ["e", "f"]) + data("");
      const answer = await (await gatewayTo(framing(frames)))
        .client()
        .get("/")
        .until(/\r\n0\r\n\r\n$/);
      assert.match(answer, /^HTTP\/1\.1 200 OK\r\ne: f\r\n/);
    }
  });

  const unfit: Record<string, string> = {
    "more than its length": head(status, ["content-length", "1"]) + data("ab"),
    "less than its length": head(status, ["content-length", "3"]) + data("ab"),
    "trailers with a status": head(status) + trailers(status),
    "trailers with a length": head(status) + trailers(["content-length", "0"]),
  };
  for (const [what, frames] of Object.entries(unfit))
    it(`(${what}) is never taken for complete`, async () => {
      const gateway = await gatewayTo(framing(frames));
      const request = http2(gateway).open({ ":path": "/" });
      await eventually(() => request.stream.destroyed, "the end of the stream");
      assert.ok(!request.isComplete || Number(request.headers?.[":status"]) === 502);
      assert.equal(gateway.state.sum("gatewayFailures"), 1);
    });
});

describe("a request to a target of HTTP/2", () => {
  it("that its client gives up is reset, and an upload that was cut is never taken for complete", async () => {
    let hasEnded = false;
    const origin = new Http2Origin((stream) => stream.resume().on("end", () => (hasEnded = !stream.aborted)));
    const gateway = await gatewayTo(origin);
    for (const begun of ["Content-Length: 5\r\n\r\nab", "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n"]) {
      const client = gateway.client().send(`POST / HTTP/1.1\r\nHost: a\r\n${begun}`);
      const count = origin.streams.length;
      await eventually(() => origin.streams.length > count, "the request");
      client.close();
      const stream = origin.streams.at(-1)!;
      await eventually(() => stream.destroyed, "the end of the stream");
      assert.deepEqual([stream.rstCode, hasEnded], [constants.NGHTTP2_CANCEL, false]);
    }
    assert.equal(origin.sessions.length, 1);
  });

  it("that is answered before it is complete ends with the answer", async () => {
    const origin = new Http2Origin((stream) => {
      stream.respond({ ":status": 413, "content-length": "2" });
      stream.end("no");
    });
    const gateway = await gatewayTo(origin);
    const client = gateway.client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\n\r\nab");
    assert.match(await client.untilClosed(), /^HTTP\/1\.1 413 .*\r\n\r\nno$/s);
    await eventually(() => origin.streams[0]!.destroyed, "the end of the stream");
  });

  it("waits for a target that reads slowly, and its response for a client that does", async () => {
    const origin = new Http2Origin((stream) => stream.respond({ ":status": 200 }));
    const gateway = await gatewayTo(origin);
    const total = 20_000_000;
    const upload = gateway.client().send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${total}\r\n\r\n`);
    upload.socket.write(Buffer.alloc(total));
    await eventually(() => origin.streams.length === 1, "the request");
    const [stream] = origin.streams;
    await untilStill(() => upload.socket.bytesWritten - upload.socket.writableLength);
    assert.ok(upload.socket.writableLength > total / 2, "the client was allowed to send nearly all");
    let received = 0;
    stream!.on("data", (bytes: Buffer) => {
      received += bytes.length;
    });
    await eventually(
      () => received === total,
      () => `the upload, after ${received}`,
    );
    upload.socket.pause();
    let written = 0;
    const write = () => {
      while (written < total) {
        written += 65_536;
        if (!stream!.write(Buffer.alloc(65_536))) break;
      }
    };
    stream!.on("drain", write);
    write();
    await untilStill(() => written);
    assert.ok(written < total / 2, "the target was allowed to send nearly all");
    upload.socket.resume();
    await eventually(() => written >= total, "the response");
  });
});

/** Resolves once `measure` has begun and does not change any more. */
async function untilStill(measure: () => number): Promise<void> {
  let before = -1;
  let stillFor = 0;
  await eventually(() => {
    const now = measure();
    stillFor = now === before && now > 0 ? stillFor + 1 : 0;
    before = now;
    return stillFor > 50;
  }, "a standstill");
}
