import assert from "node:assert/strict";
import type { Socket } from "node:net";
import { afterEach, describe, it } from "node:test";
import { answering, eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function between(made: RawOrigin, route: object = {}, transport: object = {}) {
  open.push(await made.start());
  const gateway = new TestProxy();
  open.push(gateway);
  const all = { path: "/", path_prefix: true, backends: [{ url: made.url }], ...route };
  await gateway.apply({ routes: { all }, settings: { transport } });
  return { gateway, client: gateway.client(), upstream: made };
}

const requestsTo = ({ received }: RawOrigin) => received.join("").split(" HTTP/1.1\r\nHost: ").length - 1;
const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx";
const EMPTY_POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n";
const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";

/** Writes the text and then does the rest once it is on its way. */
function saying(text: string, then: (socket: Socket) => void): RawOrigin {
  return new RawOrigin((socket) => {
    socket.removeAllListeners("data");
    socket.write(text, "latin1", () => setImmediate(then, socket));
  });
}
const closes = (socket: Socket) => socket.destroy();
const resets = (socket: Socket) => socket.resetAndDestroy();
const stays = () => {};

describe("an upstream that does not answer", () => {
  const table: [what: string, status: number, code: string, upstream: () => RawOrigin][] = [
    ["closes at once", 502, "RW_UPSTREAM_RESET", () => new RawOrigin(closes)],
    ["resets", 502, "RW_UPSTREAM_RESET", () => new RawOrigin(resets)],
    ["hangs", 504, "RW_UPSTREAM_TIMEOUT", () => new RawOrigin(stays)],
    ["closes within the head", 502, "RW_UPSTREAM_RESET", () => saying("HTTP/1.1 200 OK\r\nContent-Le", closes)],
    ["resets within the head", 502, "RW_UPSTREAM_RESET", () => saying("HTTP/1.1 200 OK\r\n", resets)],
    ["hangs within the head", 504, "RW_UPSTREAM_TIMEOUT", () => saying("HTTP/1.1 200 OK\r\n", stays)],
    ["closes after a hint", 502, "RW_UPSTREAM_RESET", () => saying("HTTP/1.1 103 Early Hints\r\n\r\n", closes)],
    ["hangs after a hint", 504, "RW_UPSTREAM_TIMEOUT", () => saying("HTTP/1.1 103 Early Hints\r\n\r\n", stays)],
  ];
  for (const [what, status, code, make] of table)
    it(`but ${what}: ${status}, and the request was sent once`, async () => {
      for (const request of ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", POST]) {
        const { client, upstream } = await between(make(), { timeout_policy: { request: "200ms" } });
        const answer = (await client.send(request).until(/\}\n$/)).replace("HTTP/1.1 103 Early Hints\r\n\r\n", "");
        assert.match(answer, new RegExp(`^HTTP/1.1 ${status} .*${code}`, "s"));
        assert.equal(requestsTo(upstream), 1);
      }
    });

  it("but sends its head in small pieces gains no time by that", async () => {
    const { client, upstream } = await between(new RawOrigin(stays), { timeout_policy: { request: "200ms" } });
    client.get("/");
    await eventually(() => upstream.sockets.length === 1, "the request");
    const trickle = setInterval(() => upstream.sockets[0]!.write("H"), 20).unref();
    upstream.sockets[0]!.write("HTTP/1.1 200 ");
    assert.match(await client.until(/\}\n$/), /^HTTP\/1.1 504 /);
    clearInterval(trickle);
  });
});

describe("an upstream that answers garbage", () => {
  const head = (...lines: string[]) => `HTTP/1.1 200 OK\r\n${lines.map((line) => `${line}\r\n`).join("")}\r\n`;
  const garbage: Record<string, string> = {
    "another protocol": "\x15\x03\x01\x00\x02\x02\x46",
    "HTTP/2": "\x00\x00\x12\x04\x00\x00\x00\x00\x00\x00\x03\x00\x00\x00\x80",
    "HTTP/0.9": "<html>hello</html>",
    "an impossible status": "HTTP/1.1 600 Odd\r\n\r\n",
    "a status of four digits": "HTTP/1.1 2000 Odd\r\n\r\n",
    "a bare LF": "HTTP/1.1 200 OK\nContent-Length: 2\n\nhi",
    "a NUL": head("X: a\0b", "Content-Length: 0"),
    "a folded line": head("X: a", " b", "Content-Length: 0"),
    "a negative length": head("Content-Length: -1"),
    "a list of lengths": head("Content-Length: 2, 2"),
    "a coding that is not chunked": head("Transfer-Encoding: gzip, chunked"),
    "a length and chunks": head("Content-Length: 2", "Transfer-Encoding: chunked"),
    "a head of 70 KB": head(`X: ${"a".repeat(70_000)}`),
    "200 lines": head(...Array.from({ length: 200 }, (_, n) => `X-${n}: a`)),
  };
  for (const [what, text] of Object.entries(garbage))
    it(`(${what}) is 502, and its connection is not used again`, async () => {
      const { client, upstream } = await between(answering(text));
      for (let count = 1; count <= 2; count++) {
        assert.match(await client.get("/").until(/\}\n$/), /^HTTP\/1.1 502 .*RW_UPSTREAM_INVALID/s);
        assert.equal(upstream.received.length, count);
        assert.equal(requestsTo(upstream), count);
      }
    });
});

describe("a response that is cut", () => {
  const cuts: [string, () => RawOrigin][] = [
    ["before its length is there", () => saying(ok("hello").slice(0, -2), closes)],
    ["by a reset", () => saying(ok("hello").slice(0, -2), resets)],
    ["by silence", () => saying(ok("hello").slice(0, -2), stays)],
    ["between two chunks", () => saying(`${CHUNKED}2\r\nhe\r\n`, closes)],
    ["in a chunk", () => saying(`${CHUNKED}5\r\nhe`, closes)],
    ["in the size of a chunk", () => saying(`${CHUNKED}2\r\nhe\r\n1`, closes)],
    ["after the last chunk", () => saying(`${CHUNKED}2\r\nhe\r\n0\r\n`, closes)],
    ["by a wrong chunk", () => saying(`${CHUNKED}2\r\nhe\r\nzz\r\n`, stays)],
    ["by a chunk that is longer than it says", () => saying(`${CHUNKED}2\r\nhello\r\n0\r\n\r\n`, stays)],
    ["by a reset where only the close tells its end", () => saying("HTTP/1.1 200 OK\r\n\r\nhe", resets)],
  ];
  for (const [how, make] of cuts)
    it(`${how} is never completed, and the client's connection is reset`, async () => {
      for (const version of ["1.1", "1.0"]) {
        const { client, upstream, gateway } = await between(make(), { timeout_policy: { idle: "200ms" } });
        let reset = "";
        client.socket.on("error", (error: NodeJS.ErrnoException) => {
          reset = error.code ?? "";
        });
        const received = await client.send(`GET / HTTP/${version}\r\nHost: a\r\n\r\n`).untilClosed();
        assert.doesNotMatch(received, /0\r\n\r\n$|RW_|hello/);
        assert.equal(reset, "ECONNRESET");
        assert.equal(requestsTo(upstream), 1);
        assert.equal(gateway.state.sum("gatewayFailures"), 1);
      }
    });
});

describe("an upstream that sends too much", () => {
  const evil = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil";
  const first: Record<string, string> = {
    "a second response": `${ok("hi")}${evil}`,
    "octets after its length": `${ok("hi")}garbage`,
    "octets after its last chunk": `${CHUNKED}2\r\nhi\r\n0\r\n\r\ngarbage`,
    "a body where 204 has none": `HTTP/1.1 204 No Content\r\n\r\n${evil}`,
    "a body where 304 has none": `HTTP/1.1 304 Not Modified\r\nContent-Length: 4\r\n\r\n${evil}`,
  };
  for (const [what, text] of Object.entries(first))
    it(`(${what}) loses its connection, and no client sees it`, async () => {
      const { client, upstream } = await between(
        new RawOrigin((socket, _, connection) => socket.write(connection === 0 ? text : ok("good"))),
      );
      assert.doesNotMatch(
        await client.get("/").until(/(hi(\r\n0\r\n\r\n)?|(204|304) [\s\S]*\r\n\r\n)$/),
        /evil|garbage/,
      );
      await eventually(() => upstream.sockets[0]!.destroyed, "the end of the connection");
      assert.match(await client.get("/").until(/good$/), /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\ngood$/);
    });

  it("to HEAD loses its connection too", async () => {
    const { client } = await between(
      new RawOrigin((socket, all) => socket.write(all.startsWith("HEAD") ? ok("evil") : ok("good"))),
    );
    assert.doesNotMatch(await client.send("HEAD / HTTP/1.1\r\nHost: a\r\n\r\n").until(/\r\n\r\n/), /evil/);
    assert.match(await client.get("/").until(/good$/), /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\ngood$/);
  });

  it("while nobody asks loses its connection", async () => {
    const { client, upstream } = await between(answering(ok("hi")));
    await client.get("/").until(/hi$/);
    upstream.sockets[0]!.write(evil);
    await eventually(() => upstream.sockets[0]!.destroyed, "the end of the connection");
    assert.match(await client.get("/").until(/hi$/), /^HTTP\/1.1 200 OK\r\n[\s\S]*\r\n\r\nhi$/);
    assert.equal(upstream.received.length, 2);
  });
});

describe("an upstream that closes its connection", () => {
  it("while it is idle is connected to anew", async () => {
    const { client, upstream } = await between(answering(ok("hi")));
    await client.get("/").until(/hi$/);
    upstream.sockets[0]!.end();
    await eventually(() => upstream.sockets[0]!.destroyed, "the end of the connection");
    await client.send(POST).until(/hi$/);
    assert.deepEqual(
      upstream.received.map((text) => text.split(" ")[0]),
      ["GET", "POST"],
    );
  });

  it("with its answer, said or unsaid, is connected to anew", async () => {
    for (const field of ["Connection: close", "X: y"]) {
      const { client, upstream } = await between(new RawOrigin((socket) => socket.end(ok("hi", field))));
      for (let count = 0; count < 3; count++) assert.match(await client.get("/").until(/hi$/), /^HTTP\/1.1 200 /);
      assert.equal(requestsTo(upstream), 3);
    }
  });

  it("as a request arrives gets it again when it may be sent twice, within its limit of connections", async () => {
    const may: [request: string, isSentTwice: boolean][] = [
      ["GET / HTTP/1.1\r\nHost: a\r\n\r\n", true],
      ["HEAD / HTTP/1.1\r\nHost: a\r\n\r\n", true],
      ["DELETE / HTTP/1.1\r\nHost: a\r\n\r\n", true],
      [EMPTY_POST, false],
      [POST, false],
      ["PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\nx", false],
    ];
    for (const [request, isSentTwice] of may) {
      const { client, upstream } = await between(answering(ok("hi")), {}, { max_conns_per_host: 1 });
      await client.get("/").until(/hi$/);
      const [first] = upstream.sockets;
      first!.removeAllListeners("data");
      first!.on("data", (bytes) => {
        upstream.received[0] += bytes.toString("latin1");
        first!.destroy();
      });
      const answer = await client.send(request).until(/\r\n\r\n/);
      assert.match(answer, isSentTwice ? /^HTTP\/1.1 200 / : /^HTTP\/1.1 502 /, request);
      assert.equal(requestsTo(upstream), isSentTwice ? 3 : 2, request);
    }
  });

  it("every time gets no request more than twice", async () => {
    const { client, upstream } = await between(
      new RawOrigin((socket, all) =>
        all.split("GET").length > 2 || all.includes("again") ? socket.destroy() : socket.write(ok("hi")),
      ),
    );
    await client.get("/").until(/hi$/);
    assert.match(await client.get("/again").until(/\}\n$/), /^HTTP\/1.1 502 .*RW_UPSTREAM_RESET/s);
    assert.equal(requestsTo(upstream), 3);
  });
});

describe("an answer that comes before the request is complete", () => {
  const BEGUN = `PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${64 * 1024 * 1024}\r\n\r\n`;

  it("reaches the client that goes on sending, and ends both connections", async () => {
    for (const then of [stays, (socket: Socket) => socket.end()]) {
      const { client, upstream, gateway } = await between(
        saying("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", then),
      );
      client.send(BEGUN);
      const piece = Buffer.alloc(65_536);
      const sending = setInterval(() => client.socket.write(piece), 1).unref();
      assert.match(await client.untilClosed(), /^HTTP\/1.1 413 [\s\S]*\r\nConnection: close\r\n[\s\S]*no$/);
      clearInterval(sending);
      await eventually(() => upstream.sockets[0]!.destroyed, "the end upstream");
      await eventually(() => gateway.state.sum("activeConnections") === 0, "the end of the connection");
    }
  });

  it("reaches the client although the upstream resets at once, each time", async () => {
    const { gateway, upstream } = await between(
      new RawOrigin((socket) => {
        socket.removeAllListeners("data");
        socket.write("HTTP/1.1 413 Too Large\r\nContent-Length: 2\r\n\r\nno", () => socket.resetAndDestroy());
      }),
    );
    const pieces = Buffer.alloc(1_000_000);
    for (let count = 1; count <= 100; count++) {
      const client = gateway.client().send(BEGUN);
      client.socket.write(pieces);
      assert.match(await client.until(/^HTTP\/1\.1 .*\r\n\r\n.+/s), /^HTTP\/1\.1 413 /, `upload ${count}`);
      client.close();
    }
    assert.equal(upstream.received.length, 100);
  });

  it("may go on while the request does", async () => {
    const { client } = await between(
      new RawOrigin((socket, all) => socket.write(all.endsWith("x") ? "2\r\nhi\r\n0\r\n\r\n" : CHUNKED)),
    );
    await client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n").until(/\r\n\r\n/);
    assert.match(await client.send("x").untilClosed(), /^2\r\nhi\r\n0\r\n\r\n$/);
  });
});
