import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { block, FRAME, frame, framesIn, PREFACE } from "../testing/http2-client.ts";
import { answering, eventually, ok, TestProxy } from "../testing/test-proxy.ts";

const END_STREAM = 1;
const END_HEADERS = 4;

type Field = readonly [name: string, value: string];

const GET: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/bad"],
  [":authority", "gateway.test"],
];
const POST: readonly Field[] = [[":method", "POST"], ...GET.slice(1)];
const GOOD: readonly Field[] = [...GET.slice(0, 2), [":path", "/good"], GET[3]!];
const SMUGGLED = "GET /smuggled HTTP/1.1\r\nHost: a\r\n\r\n";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function gatewayTo(upstream: ReturnType<typeof answering>): Promise<TestProxy> {
  open.push(await upstream.start());
  const gateway = new TestProxy();
  open.push(gateway);
  await gateway.apply({ routes: { all: { path: "/", path_prefix: true, backends: [{ url: upstream.url }] } } });
  return gateway;
}

function request(stream: number, fields: readonly Field[], body?: string): string {
  const flags = body === undefined ? END_HEADERS | END_STREAM : END_HEADERS;
  const head = frame(FRAME.headers, flags, stream, block(fields));
  return body === undefined ? head : head + frame(FRAME.data, END_STREAM, stream, body);
}

/**
 * What HTTP/1.1 upstreams have been made to read as two requests through gateways that speak HTTP/2 (H2.CL, H2.TE, and splitting of
 * requests by line ends). Each is refused, by a reset or with 400, and nothing of it reaches the upstream.
 */
const table: Record<string, readonly [fields: readonly Field[], body?: string]> = {
  "a length shorter than the body": [[...POST, ["content-length", "0"]], SMUGGLED],
  "a length longer than the body": [[...POST, ["content-length", "99"]], "x"],
  "two lengths": [[...POST, ["content-length", "0"], ["content-length", "35"]], SMUGGLED],
  "a list of lengths": [[...POST, ["content-length", "35, 35"]], SMUGGLED],
  "a length with a sign": [[...POST, ["content-length", "+35"]], SMUGGLED],
  "a coding": [[...POST, ["transfer-encoding", "chunked"]], `0\r\n\r\n${SMUGGLED}`],
  "a coding in capitals": [[...POST, ["Transfer-Encoding", "chunked"]], `0\r\n\r\n${SMUGGLED}`],
  "a line end in the path": [[...GET.slice(0, 2), [":path", `/bad HTTP/1.1\r\nHost: a\r\n\r\n${SMUGGLED}`], GET[3]!]],
  "a line end in the method": [[[":method", `GET /bad HTTP/1.1\r\nHost: a\r\n\r\nGET`], ...GET.slice(1)]],
  "a line end in the authority": [[...GET.slice(0, 3), [":authority", "a\r\nTransfer-Encoding: chunked"]]],
  "a host that is not the authority": [[...GET, ["host", "other.test"]]],
  "two hosts": [[...GET.slice(0, 3), ["host", "a.test"], ["host", "b.test"]]],
  "two paths": [[...GET, [":path", "/other"]]],
  "a pseudo-header behind a header": [[...GET.slice(0, 3), ["x", "y"], GET[3]!]],
  "a pseudo-header that is none": [[...GET, [":x", "y"]]],
  "an absolute path": [[...GET.slice(0, 2), [":path", "http://other.test/bad"], GET[3]!]],
  "an option of a connection": [[...GET, ["connection", "x-forwarded-for"]]],
  "an upgrade": [[...GET, ["upgrade", "h2c"]]],
  "an extended CONNECT": [[[":method", "CONNECT"], [":protocol", "websocket"], ...GET.slice(1)]],
  "a te that asks for a coding": [[...GET, ["te", "chunked"]]],
  "a field line in a value": [[...GET, ["x-bad", "a\r\nTransfer-Encoding: chunked"]]],
  "a line feed in a value": [[...GET, ["x-bad", "a\nx: y"]]],
  "a carriage return in a value": [[...GET, ["x-bad", "a\ry"]]],
  "a NUL in a value": [[...GET, ["x-bad", "a\0b"]]],
  "the end of a head in a value": [[...GET, ["x-bad", `a\r\n\r\n${SMUGGLED}`]]],
  "a field line in a name": [[...GET, ["x-bad: y\r\ntransfer-encoding", "chunked"]]],
  "a colon in a name": [[...GET, ["x-bad: y", "a"]]],
  "a space in a name": [[...GET, ["transfer-encoding ", "chunked"]]],
};

describe("a request of HTTP/2 that could be two of HTTP/1.1", () => {
  for (const [what, [fields, body]] of Object.entries(table))
    it(`by ${what} is refused`, async () => {
      const upstream = answering(ok("hi"));
      const gateway = await gatewayTo(upstream);
      const bad = gateway.client().send(PREFACE + request(1, fields, body));
      await eventually(
        () => framesIn(bad.received).some(({ type, payload }) => isRefusal(type, payload)),
        () => `a refusal in ${JSON.stringify(bad.received)}`,
      );
      const good = gateway.client().send(PREFACE + request(1, GOOD));
      await good.until(/hi/);
      // Of a body that turned out not to fit, the begin may have been on its way; it is cut, and nothing follows on its connection.
      const lines = upstream.received.join("").match(/^.* HTTP\/1\.1$/gm) ?? [];
      assert.deepEqual(
        lines.filter((line) => line !== "POST /bad HTTP/1.1"),
        ["GET /good HTTP/1.1"],
      );
      assert.doesNotMatch(upstream.received.join(""), /smuggled/);
    });
});

/** A reset, the end of the connection, or 400 or 501: HPACK has 400 in its table, and other statuses are written out. */
function isRefusal(type: number, payload: string): boolean {
  if (type === FRAME.rstStream || (type === FRAME.goaway && payload.charCodeAt(7) !== 0)) return true;
  return type === FRAME.data && /"status":(?:400|501)/.test(payload);
}
