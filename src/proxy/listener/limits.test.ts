import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { ListenerSpec } from "../../config/resources/listener.ts";
import { block, FRAME, frame, framesIn, Http2Client, PREFACE } from "../testing/http2-client.ts";
import { answering, eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

const POST = "POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n";
const CLOSED = "";
/** Flags of HTTP/2 (RFC 9113 §6.2). */
const END_STREAM = 1;
const END_HEADERS = 4;

interface Limit {
  readonly value: unknown;
  /** How the answer begins; CLOSED where there is none. */
  readonly answer: string | RegExp;
  /** What is sent, and again and again until the connection is closed. */
  readonly send: string;
  readonly again?: string;
  readonly upstream?: () => RawOrigin;
}

const silent = () => new RawOrigin(() => {});
const endless = () =>
  new RawOrigin((socket) => {
    socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    const chunk = `10000\r\n${"x".repeat(0x10000)}\r\n`;
    const write = () => {
      while (socket.writable && socket.write(chunk));
    };
    socket.on("drain", write);
    write();
  });

/** What a client meets that is beyond each limit, by the setting's name. Times are short, so that the tests are. */
const LIMITS: Readonly<Record<string, Limit>> = {
  read_header_timeout: { value: "100ms", send: "GET / HTTP/1.1\r\n", again: "X: y\r\n", answer: /^HTTP\/1.1 408 / },
  read_timeout: { value: "100ms", send: `${POST}x`, upstream: silent, answer: /^HTTP\/1.1 408 / },
  body_timeout: { value: "100ms", send: POST, again: "x", upstream: silent, answer: /^HTTP\/1.1 408 / },
  idle_timeout: { value: "100ms", send: "", answer: CLOSED },
  max_header_bytes: {
    value: 1_024,
    send: `GET / HTTP/1.1\r\nHost: a\r\nX: ${"y".repeat(1_024)}\r\n\r\n`,
    answer: /^HTTP\/1.1 431 /,
  },
  max_header_count: {
    value: 3,
    send: "GET / HTTP/1.1\r\nHost: a\r\nX: 1\r\nX: 2\r\nX: 3\r\n\r\n",
    answer: /^HTTP\/1.1 431 .*RW_HEADER_TOO_LARGE/s,
  },
  max_requests_per_connection: {
    value: 1,
    send: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    answer: /^HTTP\/1.1 200 .*\r\nConnection: close\r\n/s,
  },
  max_connection_age: {
    value: "100ms",
    send: "",
    again: "GET / HTTP/1.1\r\nHost: a\r\n\r\n",
    answer: /^HTTP\/1.1 200 .*\r\nConnection: close\r\n.*hi$/s,
  },
};
/** Limits that need more than one connection or another protocol have a test of their own below. */
const OWN_TESTS = ["write_timeout", "max_connections", "max_concurrent_streams"];
const NO_LIMITS = ["http2"];

async function gatewayWith(http: object, upstream: RawOrigin): Promise<TestProxy> {
  const gateway = new TestProxy();
  open.push(await upstream.start(), gateway);
  await gateway.apply({
    routes: { all: { path: "/", path_prefix: true, backends: [{ url: upstream.url }] } },
    listeners: { http: { address: "127.0.0.1:0", http } },
  });
  return gateway;
}

describe("the limits of a listener", () => {
  it("are all in this table", () => {
    const settings = Object.keys(ListenerSpec.shape.http.unwrap().shape);
    assert.deepEqual(settings.toSorted(), [...Object.keys(LIMITS), ...OWN_TESTS, ...NO_LIMITS].toSorted());
  });

  for (const [name, { value, send, again, answer, upstream = () => answering(ok("hi")) }] of Object.entries(LIMITS))
    it(`${name}: ${answer === CLOSED ? "beyond it, the connection is closed" : `beyond it, the answer is ${answer}`}`, async () => {
      const gateway = await gatewayWith({ [name]: value }, upstream());
      const client = gateway.client().send(send);
      const sending = setInterval(() => void (client.isClosed || client.send(again ?? "")), 10);
      open.push({ stop: async () => clearInterval(sending) });
      const received = await client.untilClosed();
      if (typeof answer === "string") assert.equal(received, answer);
      else assert.match(received, answer);
      assert.equal(gateway.state.sum("activeRequests"), 0);
    });

  it("max_header_count: just as many are taken", async () => {
    const gateway = await gatewayWith({ max_header_count: 3 }, answering(ok("hi")));
    await gateway.client().get("/", "X: 1", "X: 2").until(/hi$/);
    const client = new Http2Client(gateway.port);
    open.push(client);
    const headers = { ":authority": "a", "x-1": "1", "x-2": "2" };
    assert.equal((await client.get("/", headers)).status, 200);
    assert.equal((await client.get("/", { ...headers, "x-3": "3" })).status, 431);
  });

  it("body_timeout: a request of HTTP/2 is answered 408 too, however lively it trickles", async () => {
    const gateway = await gatewayWith({ body_timeout: "100ms" }, silent());
    const client = new Http2Client(gateway.port);
    open.push(client);
    const request = client.open({ ":method": "POST", ":authority": "a" }, false);
    const sending = setInterval(() => void (request.stream.writable && request.stream.write("x")), 10);
    open.push({ stop: async () => clearInterval(sending) });
    assert.equal((await request.answer()).status, 408);
  });

  it("write_timeout: a client that reads nothing is dropped, and its upstream with it", async () => {
    const upstream = endless();
    const gateway = await gatewayWith({ write_timeout: "100ms" }, upstream);
    const client = gateway.client().get("/");
    client.socket.pause();
    await eventually(() => gateway.state.sum("clientsGone") === 1, "the end of the client");
    await eventually(() => upstream.sockets.every(({ destroyed }) => destroyed), "the end of the upstream");
  });

  it("max_connections: one more is answered 503 and closed", async () => {
    const gateway = await gatewayWith({ max_connections: 1 }, answering(ok("hi")));
    await gateway.client().get("/").until(/hi$/);
    assert.match(await gateway.client().untilClosed(), /^HTTP\/1.1 503 /);
  });

  it("max_concurrent_streams: a request beyond it is refused, to be tried again", async () => {
    const gateway = await gatewayWith({ max_concurrent_streams: 1 }, silent());
    const request = block([
      [":method", "GET"],
      [":scheme", "http"],
      [":path", "/"],
      [":authority", "a"],
    ]);
    const client = gateway.client().send(PREFACE);
    for (const stream of [1, 3]) client.send(frame(FRAME.headers, END_STREAM | END_HEADERS, stream, request));
    const refused = () => framesIn(client.received).find(({ type }) => type === FRAME.rstStream)?.payload;
    await eventually(() => refused() === "\0\0\0\x07", "REFUSED_STREAM");
    assert.equal(gateway.state.sum("activeRequests"), 1);
  });
});
