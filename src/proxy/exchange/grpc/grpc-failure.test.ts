import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { FieldLines } from "../../../http/field-lines.ts";
import { grpcTimeoutMs, isGrpc } from "./grpc-call.ts";
import { grpcStatusLines, grpcStatusOf } from "./grpc-failure.ts";

function fieldsOf(...lines: readonly string[]): FieldLines {
  const text = lines.map((line) => `${line}\r\n`).join("");
  const octets = Buffer.from(text, "latin1");
  const fields = new FieldLines();
  for (let at = 0; at < octets.length; ) at = fields.add(octets, 0, at, octets.length);
  fields.seal(text);
  return fields;
}

describe("a call of gRPC", () => {
  it("is known by its content type", () => {
    const types = ["application/grpc", "application/grpc+proto", "Application/GRPC; a=b"];
    const others = [
      "application/grpc-web",
      "application/grpc-web-text+proto",
      "application/json",
      "text/application/grpc",
    ];
    for (const type of types) assert.ok(isGrpc(fieldsOf(`Content-Type: ${type}`)), type);
    for (const type of others) assert.ok(!isGrpc(fieldsOf(`Content-Type: ${type}`)), type);
    assert.ok(!isGrpc(fieldsOf("Accept: application/grpc")));
  });

  it("has the time that it says, and no deadline where it says nothing valid", () => {
    const times: [string, number | undefined][] = [
      ["2H", 7_200_000],
      ["3M", 180_000],
      ["4S", 4_000],
      ["5m", 5],
      ["1500u", 2],
      ["1n", 1],
      ["0S", 0],
      ["99999999H", undefined],
      ["123456789m", undefined],
      ["5", undefined],
      ["-5m", undefined],
      ["5 m", undefined],
      ["5s", undefined],
    ];
    for (const [text, ms] of times) assert.equal(grpcTimeoutMs(fieldsOf(`grpc-timeout: ${text}`)), ms, text);
    assert.equal(grpcTimeoutMs(fieldsOf("a: b")), undefined);
  });
});

describe("a failure that a caller of gRPC is told", () => {
  it("has the status that stands for its HTTP status", () => {
    const table = {
      badRequest: 13,
      forbidden: 7,
      routeNotFound: 12,
      upstreamRefused: 14,
      upstreamTimeout: 14,
      overloaded: 14,
      internal: 2,
      bodyTooLarge: 8,
      deadlineExceeded: 4,
    } as const;
    for (const [kind, status] of Object.entries(table))
      assert.equal(grpcStatusOf(kind as keyof typeof table), status, kind);
  });

  it("has a message in which nothing can pass for a line of its own", () => {
    const lines = grpcStatusLines("badRequest", "a\r\ngrpc-status: 0 100% ü");
    assert.match(
      lines,
      /^grpc-status: 13\r\ngrpc-message: RW_BAD_REQUEST: .*a%0D%0Agrpc-status: 0 100%25 %C3%BC\.\r\n$/,
    );
  });
});
