import fc from "fast-check";
import type { FromControlPlane, FromNode, NodeStatus } from "../messages.ts";

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

const frame = fc.record({ id: count, method: text }).map((call) => JSON.stringify({ jsonrpc: "2.0", ...call }));

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

/** Whatever a node may say. */
export const fromNode: fc.Arbitrary<FromNode> = fc.oneof(
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
    plugins: words,
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
  fc.record({ type: fc.constant("rpc" as const), frame }),
);

/** Whatever a control plane may say. */
export const fromControlPlane: fc.Arbitrary<FromControlPlane> = fc.oneof(
  fc.record({
    type: fc.constant("welcome" as const),
    newest: running,
    capabilities: fc.array(text),
    controlPlaneId: text,
    heartbeatIntervalMs: count,
    addresses: fc.array(text, { maxLength: 5 }),
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
  fc.tuple(stamp, stamp, text, uint64, fc.uint8Array()).map(([base, stamp, encoding, checksum, data]) => ({
    type: "delta" as const,
    base: { ...base, epoch: stamp.epoch },
    stamp,
    encoding,
    checksum,
    data,
  })),
  fc.record({
    type: fc.constant("original" as const),
    version,
    yaml: fc.uint8Array({ minLength: 1 }),
    hash: uint64,
    timestampMs: timeMs,
    source: text,
  }),
  fc.record({ type: fc.constant("rpc" as const), frame }),
);
