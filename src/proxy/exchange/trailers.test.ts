import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { Http2Client } from "../testing/http2-client.ts";
import { answering, eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function between(upstream: RawOrigin, http: object = {}): Promise<TestProxy> {
  open.push(await upstream.start());
  const gateway = new TestProxy();
  open.push(gateway);
  await gateway.apply({
    routes: { all: { path: "/", path_prefix: true, backends: [{ url: upstream.url }] } },
    listeners: { h: { address: "127.0.0.1:0", http } },
  });
  return gateway;
}

async function http2(gateway: TestProxy): Promise<Http2Client> {
  const client = new Http2Client(gateway.port);
  open.push(client);
  return client;
}

const ANSWER =
  "HTTP/1.1 200 OK\r\nTrailer: X-Sum, Host, Content-Length\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n" +
  "X-Sum:  1 \r\nHost: evil\r\nSet-Cookie: a=b\r\nContent-Type: text/html\r\nX-Forwarded-For: 1.2.3.4\r\nother: 2\r\n\r\n";

describe("fields behind the body of a response", () => {
  it("reach a client of HTTP/1.1 that takes them, but for those that belong into a head", async () => {
    const upstream = answering(ANSWER);
    const client = (await between(upstream)).client();
    const answer = await client.get("/", "Connection: TE", "TE: deflate, trailers").until(/\r\n0\r\n(?:.+\r\n)*\r\n$/);
    assert.match(answer, /\r\nTrailer: x-sum\r\n.*\r\n\r\n2\r\nhi\r\n0\r\nx-sum: 1\r\nother: 2\r\n\r\n$/s);
    assert.match(upstream.received[0]!, /\r\nConnection: TE\r\nTE: trailers\r\n/);
  });

  it("are left out for a client that does not say that it takes them, and are not asked for", async () => {
    const upstream = answering(ANSWER);
    const client = (await between(upstream)).client();
    for (const field of ["X: y", "TE: xtrailers", "TE: trailers;q=0.5x"]) {
      const answer = await client.get("/", field).until(/\r\n0\r\n(?:.+\r\n)*\r\n$/);
      assert.match(answer, /\r\n\r\n2\r\nhi\r\n0\r\n\r\n$/);
      assert.doesNotMatch(answer, /Trailer/);
    }
    assert.doesNotMatch(upstream.received.join(), /\r\n(?:TE|Connection):/);
  });

  it("are left out for HTTP/1.0", async () => {
    const client = (await between(answering(ANSWER))).client();
    const answer = await client.send("GET / HTTP/1.0\r\nTE: trailers\r\n\r\n").untilClosed();
    assert.match(answer, /\r\n\r\nhi$/);
    assert.doesNotMatch(answer, /Trailer/);
  });

  it("reach a client of HTTP/2, one after another on the same connection", async () => {
    const client = await http2(await between(answering(ANSWER)));
    for (let count = 0; count < 2; count++) {
      const { body, headers, trailers } = await client.get("/");
      assert.deepEqual([body, headers.trailer, trailers], ["hi", "x-sum", { "x-sum": "1", other: "2" }]);
    }
  });

  it("do not follow a body that ends without any", async () => {
    const client = await http2(await between(answering(ANSWER.replace(/X-Sum: {2}.*\r\n\r\n$/s, "\r\n"))));
    const { body, trailers } = await client.get("/");
    assert.deepEqual([body, trailers], ["hi", undefined]);
  });

  it("that are not valid cut the response", async () => {
    for (const wrong of ["X-Sum : 1", "Content-Length: 2", "X-Sum: 1\n", " folded", `X: ${"y".repeat(70_000)}`]) {
      const client = (await between(answering(ANSWER.replace("other: 2", wrong)))).client();
      assert.doesNotMatch(await client.get("/", "TE: trailers").untilClosed(), /\r\n0\r\n/, wrong);
    }
  });
});

describe("fields behind the body of a request", () => {
  const head = (announced: string) =>
    `POST / HTTP/1.1\r\nHost: a\r\nTrailer: ${announced}\r\nTransfer-Encoding: chunked\r\n\r\n`;
  const complete = () =>
    new RawOrigin((socket, all) => {
      if (/\r\n0\r\n(?:.+\r\n)*\r\n$/.test(all)) socket.write(ok("done"));
    });

  it("go on when the head announces them, and may", async () => {
    const upstream = complete();
    const client = (await between(upstream)).client();
    const trailers = "X-Sum: 1\r\nX-Unannounced: 2\r\nAuthorization: evil\r\nx-forwarded-for: 1.1.1.1\r\n";
    client.send(`${head("X-Sum, authorization, X-Forwarded-For, content-length")}1\r\na\r\n0\r\n${trailers}\r\n`);
    await client.until(/done$/);
    assert.match(upstream.received[0]!, /\r\nTrailer: x-sum\r\n.*\r\n\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n$/s);
  });

  it("of HTTP/2 go on in the same way", async () => {
    const upstream = complete();
    const client = await http2(await between(upstream));
    const request = client.open({ ":method": "POST", trailer: "x-sum" }, false, { "x-sum": "1", "x-other": "2" });
    request.stream.end("a");
    assert.equal((await request.answer()).body, "done");
    assert.match(upstream.received[0]!, /\r\n\r\n1\r\na\r\n0\r\nx-sum: 1\r\n\r\n$/s);
  });

  it("that frame the message, or are too long, are refused, and the request never completes", async () => {
    for (const wrong of [
      "Transfer-Encoding: chunked",
      "content-length: 1",
      "Connection: close",
      "X: ".padEnd(5_000, "y"),
    ]) {
      const upstream = complete();
      const client = (await between(upstream, { max_header_bytes: 4_096 })).client();
      client.send(`${head("X-Sum")}1\r\na\r\n0\r\n${wrong}\r\n\r\n`);
      assert.match(await client.untilClosed(), /^HTTP\/1\.1 400 .*trailer/s, wrong);
      await eventually(() => upstream.sockets.every(({ destroyed }) => destroyed), "the end upstream");
      assert.doesNotMatch(upstream.received.join(), /\r\n0\r\n/);
    }
  });

  it("of HTTP/2 that frame the message are refused, and the request never completes", async () => {
    const upstream = complete();
    const client = await http2(await between(upstream));
    const request = client.open({ ":method": "POST" }, false, { "content-length": "7" });
    request.stream.end("a");
    assert.equal((await request.answer()).status, 400);
    await eventually(() => upstream.sockets.every(({ destroyed }) => destroyed), "the end upstream");
    assert.doesNotMatch(upstream.received.join(), /\r\n0\r\n/);
  });
});
