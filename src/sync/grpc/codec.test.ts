import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Chunk, FromControlPlane, FromNode, NodeStatus } from "../messages.ts";
import { decodeFromControlPlane, encodeFromControlPlane } from "./config-update-codec.ts";
import { decodeFromNode, encodeFromNode } from "./node-message-codec.ts";

const uint64 = fc.bigInt({ min: 1n, max: 2n ** 64n - 1n });
const count = fc.nat();
const text = fc.string({ maxLength: 40, minLength: 1 });
const measure = fc.double({ min: 0, noNaN: true, noDefaultInfinity: true });
const version = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const stamp = fc.record({ epoch: text, version, hash: uint64 });
const running = fc.option(stamp, { nil: undefined });
const timeMs = fc.integer({ min: 1, max: 4_000_000_000_000 });
const words = fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), text, { maxKeys: 5, noNullPrototype: true });
const problem = fc.record({ path: fc.string(), message: text, kind: text, id: text });

const status: fc.Arbitrary<NodeStatus> = fc.record({
  routes: count,
  healthyRoutes: count,
  activeConnections: count,
  uptimeSeconds: count,
  requestsTotal: fc.maxSafeNat(),
  failuresTotal: fc.maxSafeNat(),
  latencyP50Ms: measure,
  latencyP99Ms: measure,
  eventLoopLagP99Ms: measure,
  memoryBytes: fc.maxSafeNat(),
  certificateNotAfterMs: fc.option(timeMs, { nil: undefined }),
  cacheError: fc.string(),
  runwayVersion: text,
  lastReloadError: fc.string(),
  lastSuccessfulVersion: count,
});

const fromNode: fc.Arbitrary<FromNode> = fc.oneof(
  fc.record({
    type: fc.constant("hello" as const),
    nodeId: text,
    version: text,
    hostname: text,
    running,
    originalHash: uint64,
    capabilities: fc.array(text, { maxLength: 5 }),
    encodings: fc.array(text, { maxLength: 5 }),
    labels: words,
    instanceId: text,
    heartbeatIntervalMs: count,
    partial: fc.option(fc.record({ epoch: text, version, checksum: uint64, nextIndex: count }), { nil: undefined }),
  }),
  fc.record({ type: fc.constant("heartbeat" as const), nodeId: text, running, status, sentAtMs: timeMs }),
  fc
    .tuple(stamp, fc.dictionary(fc.stringMatching(/^[a-z]{1,8}$/), measure, { maxKeys: 5, noNullPrototype: true }))
    .map(([named, durationsMs]) => ({ type: "ack" as const, ...named, durationsMs })),
  fc.record({
    type: fc.constant("nack" as const),
    epoch: text,
    version,
    reason: text,
    problems: fc.array(problem, { maxLength: 5 }),
    running,
  }),
);

const fromControlPlane: fc.Arbitrary<FromControlPlane> = fc.oneof(
  fc.record({
    type: fc.constant("welcome" as const),
    newest: running,
    capabilities: fc.array(text),
    controlPlaneId: text,
    heartbeatIntervalMs: count,
  }),
  fc.record({
    type: fc.constant("chunk" as const),
    stamp,
    encoding: text,
    index: count,
    count,
    checksum: uint64,
    data: fc.uint8Array(),
  }),
  fc.record({
    type: fc.constant("original" as const),
    version,
    yaml: fc.uint8Array({ minLength: 1 }),
    hash: uint64,
    timestampMs: timeMs,
    source: text,
  }),
);

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
