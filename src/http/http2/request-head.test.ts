import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RequestParser } from "../request-parser.ts";
import { readRequestHead } from "./request-head.ts";

type Field = readonly [name: string, value: string];

const GET: readonly Field[] = [
  [":method", "GET"],
  [":scheme", "http"],
  [":path", "/a?b=c"],
  [":authority", "gateway.test"],
];
const POST: readonly Field[] = [[":method", "POST"], ...GET.slice(1)];

function read(fields: readonly Field[], isComplete = true, maxBytes = 4_096) {
  const request = new RequestParser();
  return { request, refusal: readRequestHead(request, fields.flat(), isComplete, maxBytes) };
}

function replaced(name: string, value: string): readonly Field[] {
  return GET.map((field) => (field[0] === name ? [name, value] : field));
}

describe("the head of an HTTP/2 request", () => {
  it("becomes the request that HTTP/1.1 would have sent", () => {
    const { request, refusal } = read([
      ...GET,
      ["accept", "*/*"],
      ["cookie", "a=1"],
      ["te", "trailers"],
      ["cookie", "b=2"],
    ]);
    assert.equal(refusal, undefined);
    assert.deepEqual(
      [request.method, request.path, request.query, request.host, request.hasBody],
      ["GET", "/a", "?b=c", "gateway.test", false],
    );
    assert.equal(request.fields.find("cookie"), "a=1; b=2");
    assert.equal(request.fields.find("accept"), "*/*");
  });

  it("has a body of the length that it says, or in chunks when it says none", () => {
    const told = read([...POST, ["content-length", "5"]], false).request;
    assert.deepEqual([told.contentLength, told.chunked], [5, false]);
    const untold = read(POST, false).request;
    assert.deepEqual([untold.contentLength, untold.chunked], [-1, true]);
  });

  it("may name its host twice when it names the same", () => {
    assert.equal(read([...GET, ["host", "gateway.test"]]).refusal, undefined);
    assert.equal(read([...GET.slice(0, 3), ["host", "gateway.test"]]).request.host, "gateway.test");
  });

  it("is too large with more octets than a head may have", () => {
    assert.equal(read([...GET, ["x", "y".repeat(5_000)]]).refusal?.kind, "headerTooLarge");
  });

  it("is too large with more fields than a head may have", () => {
    const many = Array.from({ length: 200 }, (_, index): Field => [`x-${index}`, "y"]);
    assert.equal(read([...GET, ...many]).refusal?.kind, "headerTooLarge");
  });

  it("is refused as CONNECT, also as the extended one", () => {
    assert.equal(read(replaced(":method", "CONNECT")).refusal?.kind, "methodNotImplemented");
    const real: readonly Field[] = [
      [":method", "CONNECT"],
      [":authority", "gateway.test:443"],
    ];
    assert.equal(read(real, false).refusal?.kind, "methodNotImplemented");
    assert.equal(read([...GET, [":protocol", "websocket"]]).refusal?.kind, "badRequest");
  });

  const smuggling: readonly (readonly [string, readonly Field[], boolean?])[] = [
    ["a line end in a value", [...GET, ["x", "a\r\ntransfer-encoding: chunked"]]],
    ["a line feed in a value", [...GET, ["x", "a\ny: b"]]],
    ["a carriage return in a value", [...GET, ["x", "a\ry"]]],
    ["a NUL in a value", [...GET, ["x", "a\0b"]]],
    ["the end of a head in a value", [...GET, ["x", "a\r\n\r\nGET /other HTTP/1.1\r\nhost: h"]]],
    ["a value that ends its line and folds the next", [...GET, ["x", "a\r\n b"]]],
    ["a line end in a name", [...GET, ["x: y\r\nz", "a"]]],
    ["a colon in a name", [...GET, ["content-length:5", "a"]]],
    ["a space in a name", [...GET, ["transfer-encoding ", "chunked"]]],
    ["a capital in a name", [...GET, ["Transfer-Encoding", "chunked"]]],
    ["no name", [...GET, ["", "a"]]],
    ["a line end in the method", replaced(":method", "GET / HTTP/1.1\r\nx: y\r\n\r\nGET")],
    ["a space in the method", replaced(":method", "GET /other")],
    ["a line end in the path", replaced(":path", "/ HTTP/1.1\r\nx: y\r\nz: ")],
    ["a space in the path", replaced(":path", "/a b")],
    ["another version in the path", replaced(":path", "/a HTTP/1.0\r\n")],
    ["an absolute path, which would overrule the authority", replaced(":path", "http://other.test/")],
    ["an empty path", replaced(":path", "")],
    ["no path", GET.filter(([name]) => name !== ":path")],
    ["no scheme", GET.filter(([name]) => name !== ":scheme")],
    ["a scheme that is none", replaced(":scheme", "")],
    ["a blank before a value", [...GET, ["x", " a"]]],
    ["a tab behind a value", [...GET, ["x", "a\t"]]],
    ["no method", GET.filter(([name]) => name !== ":method")],
    ["neither authority nor host", GET.filter(([name]) => name !== ":authority")],
    ["a line end in the authority", replaced(":authority", "h\r\nx: y")],
    ["a user in the authority", replaced(":authority", "user@gateway.test")],
    ["a host that is not the authority", [...GET, ["host", "other.test"]]],
    ["two hosts", [...GET.slice(0, 3), ["host", "a.test"], ["host", "b.test"]]],
    ["two authorities", [...GET, [":authority", "other.test"]]],
    ["a pseudo-header behind a header", [...GET.slice(0, 3), ["x", "y"], [":authority", "gateway.test"]]],
    ["the method behind a header", [...GET.slice(1), ["x", "y"], GET[0]!]],
    ["the scheme behind the host", [GET[0]!, ...GET.slice(2), ["host", "gateway.test"], GET[1]!]],
    ["the path behind a cookie", [...GET.slice(0, 2), GET[3]!, ["cookie", "a=1"], GET[2]!]],
    ["two methods", [...GET, [":method", "GET"]]],
    ["a status", [...GET, [":status", "200"]]],
    ["a transfer coding", [...POST, ["transfer-encoding", "chunked"]], false],
    ["a transfer coding and a length", [...POST, ["content-length", "5"], ["transfer-encoding", "chunked"]], false],
    ["an option of a connection", [...GET, ["connection", "keep-alive, x-internal"]]],
    ["an upgrade", [...GET, ["upgrade", "websocket"]]],
    ["te with another coding", [...GET, ["te", "gzip"]]],
    ["a length that is none", [...POST, ["content-length", "+5"]], false],
    ["two lengths", [...POST, ["content-length", "5"], ["content-length", "6"]], false],
    ["a length without a body", [...POST, ["content-length", "5"]], true],
  ];
  for (const [what, fields, isComplete = true] of smuggling)
    it(`is refused with ${what}`, () => {
      assert.equal(read(fields, isComplete).refusal?.kind, "badRequest");
    });
});
