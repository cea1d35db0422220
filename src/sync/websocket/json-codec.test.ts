import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { fromControlPlane, fromNode } from "../testing/any-messages.ts";
import { decodeFromControlPlane, decodeFromNode, encodeFromControlPlane, encodeFromNode } from "./json-codec.ts";

/** What is undefined is not said. */
function said(message: unknown): unknown {
  if (typeof message !== "object" || message === null || message instanceof Uint8Array) return message;
  if (Array.isArray(message)) return message.map(said);
  return Object.fromEntries(
    Object.entries(message).flatMap(([key, value]) => (value === undefined ? [] : [[key, said(value)]])),
  );
}

test("what a node says is read as it was said", () => {
  fc.assert(
    fc.property(fromNode, (message) => assert.deepEqual(said(decodeFromNode(encodeFromNode(message))), said(message))),
  );
});

test("what a control plane says is read as it was said", () => {
  const own = fromControlPlane.filter(({ type }) => type !== "original");
  fc.assert(
    fc.property(own, (message) => {
      const decoded = structuredClone(decodeFromControlPlane(encodeFromControlPlane(message)));
      assert.deepEqual(said(decoded), said(structuredClone(message)));
    }),
  );
});

test("every message is JSON-RPC 2.0", () => {
  fc.assert(
    fc.property(fc.oneof(fromNode.map(encodeFromNode), fromControlPlane.map(encodeFromControlPlane)), (text) => {
      const { jsonrpc, method, result } = JSON.parse(text);
      assert.equal(jsonrpc, "2.0");
      assert.ok(typeof method === "string" || result !== undefined);
    }),
  );
});

test("text from anywhere is read or refused, and nothing else", () => {
  const names = fc.constantFrom("hello", "heartbeat", "ack", "nack", "welcome", "chunk", "constructor", "other");
  const call = fc.record({ method: names.map((name) => `runway.sync.v1.${name}`), params: fc.jsonValue() });
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.json(),
        call.map((value) => JSON.stringify(value)),
      ),
      (text) => {
        for (const decode of [decodeFromNode, decodeFromControlPlane])
          try {
            decode(text);
          } catch (error) {
            assert.ok(error instanceof Error);
          }
      },
    ),
  );
});
