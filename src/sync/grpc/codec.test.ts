import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Chunk } from "../messages.ts";
import { fromControlPlane, fromNode } from "../testing/any-messages.ts";
import { decodeFromControlPlane, encodeFromControlPlane } from "./config-update-codec.ts";
import { decodeFromNode, encodeFromNode } from "./node-message-codec.ts";

test("what a node says is read as it was said", () => {
  fc.assert(
    fc.property(fromNode, (message) =>
      assert.deepEqual(decodeFromNode(encodeFromNode(message)), structuredClone(message)),
    ),
  );
});

test("what a control plane says is read as it was said", () => {
  fc.assert(
    fc.property(fromControlPlane, (message) => {
      assert.deepEqual(
        structuredClone(decodeFromControlPlane(encodeFromControlPlane(message))),
        structuredClone(message),
      );
    }),
  );
});

test("bytes from anywhere are read or refused, and nothing else", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      for (const decode of [decodeFromNode, decodeFromControlPlane])
        try {
          decode(bytes);
        } catch (error) {
          assert.ok(error instanceof Error);
        }
    }),
  );
});

test("one message is encoded once", () => {
  const chunk: Chunk = {
    type: "chunk",
    stamp: { epoch: "e", version: 1, hash: 1n },
    encoding: "json",
    index: 0,
    count: 1,
    checksum: 1n,
    data: new Uint8Array(10),
  };
  assert.equal(encodeFromControlPlane(chunk), encodeFromControlPlane(chunk));
});

test("a number that a node measured wrongly does not end its stream", () => {
  const zero = { certificateNotAfterMs: undefined, cacheError: "", runwayVersion: "", lastReloadError: "" };
  const numbers = {
    routes: Number.NaN,
    healthyRoutes: -1,
    activeConnections: 1.5,
    uptimeSeconds: Number.POSITIVE_INFINITY,
    requestsTotal: 0.1,
    failuresTotal: -0.1,
    latencyP50Ms: 0,
    latencyP99Ms: 0,
    eventLoopLagP99Ms: 0,
    memoryBytes: 1e9,
    lastSuccessfulVersion: 0,
  };
  const bytes = encodeFromNode({
    type: "heartbeat",
    nodeId: "n",
    running: undefined,
    status: { ...numbers, ...zero },
    sentAtMs: 1,
  });
  const read = decodeFromNode(bytes);
  assert.deepEqual(read?.type === "heartbeat" && [read.status.routes, read.status.activeConnections], [0, 1]);
});
