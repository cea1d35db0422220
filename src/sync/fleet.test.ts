import assert from "node:assert/strict";
import { test } from "node:test";
import type { FailureKind } from "../core/failure.ts";
import { silentLogger, silentMeter } from "../core/ports.ts";
import type { NodeStream, NodeStreamEvents, PeerCertificate } from "./connection.ts";
import { Fleet, type FleetOptions } from "./fleet.ts";
import type { FromControlPlane, Hello } from "./messages.ts";
import { MemoryIdentityLedger } from "./node-identity.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { heartbeatOf, helloOf, snapshotOf, stampOf } from "./testing/messages.ts";

function certificateOf(): PeerCertificate {
  return {
    ...{ der: new Uint8Array(), subject: "CN=n", serialNumber: "1", fingerprint: "f1", keyFingerprint: "k1" },
    ...{ uriNames: [], notBeforeMs: 1e12, notAfterMs: 2e12 },
  };
}

/** A stream whose other end is the test. */
class TestStream implements NodeStream {
  readonly peer: NodeStream["peer"];
  readonly sent: FromControlPlane[] = [];
  end_: { readonly kind: FailureKind; readonly detail: string } | undefined;
  events!: NodeStreamEvents;
  /** Holds back that messages have left, like a slow network. */
  isSlow = false;

  constructor(certificate: Partial<PeerCertificate>) {
    this.peer = { address: "127.0.0.1:5000", transport: "grpc", certificate: { ...certificateOf(), ...certificate } };
  }

  send(message: FromControlPlane, sent: () => void): void {
    this.sent.push(message);
    if (!this.isSlow) sent();
  }

  end(kind: FailureKind, detail: string): void {
    this.end_ = { kind, detail };
    this.events.closed();
  }

  get versions(): readonly number[] {
    return this.sent.flatMap((message) => (message.type === "chunk" ? [message.stamp.version] : []));
  }
}

class TestFleet {
  readonly clock = new ManualClock();
  readonly ledger = new MemoryIdentityLedger();
  readonly fleet: Fleet;

  constructor(options: Partial<FleetOptions> = {}) {
    const { clock, ledger } = this;
    const common = { clock, ledger, random: () => 0, logger: silentLogger, meter: silentMeter };
    this.fleet = new Fleet({ controlPlaneId: "cp", version: "1.4.0", ...common, ...options });
  }

  publish(version: number): void {
    this.fleet.publish({ snapshot: snapshotOf(version), source: "file", timestampMs: 0, originalYaml: () => "" });
  }

  connect(hello: Partial<Hello> = {}, certificate: Partial<PeerCertificate> = {}): TestStream {
    const stream = new TestStream(certificate);
    stream.events = this.fleet.connect(stream);
    stream.events.received(helloOf(hello));
    return stream;
  }

  statuses(): readonly string[] {
    return this.fleet.nodes().map(({ nodeId, status }) => `${nodeId} ${status}`);
  }
}

/** Turns are given in microtasks. */
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("every stream is sent the very same message, made once, and nodes are listed by id", async () => {
  const t = new TestFleet();
  const streams = ["b", "a"].map((nodeId) => t.connect({ nodeId }));
  t.publish(1);
  await settled();
  assert.equal(streams[0]?.sent[1], streams[1]?.sent[1]);
  assert.deepEqual(t.statuses(), ["a connected", "b connected"]);
});

test("an older version than the newest of the epoch is not published", async () => {
  const t = new TestFleet();
  t.publish(2);
  t.publish(1);
  const stream = t.connect();
  await settled();
  assert.deepEqual(stream.versions, [2]);
});

test("a change goes out at once, and those that come soon after it together", async () => {
  const t = new TestFleet();
  t.publish(1);
  const stream = t.connect({ running: stampOf(1) });
  t.clock.advance(1_000);
  t.publish(2);
  await settled();
  assert.deepEqual(stream.versions, [2]);
  stream.events.received({ type: "ack", ...stampOf(2), durationsMs: {} });
  for (const version of [3, 4, 5]) t.publish(version);
  await settled();
  assert.deepEqual(stream.versions, [2]);
  t.clock.advance(50);
  await settled();
  assert.deepEqual(stream.versions, [2, 5]);
});

test("without a node nothing is encoded", async () => {
  const t = new TestFleet();
  const snapshot = { ...snapshotOf(1) };
  Object.defineProperty(snapshot, "resources", {
    get: () => assert.fail("the resources were read, and nobody is there to be sent them"),
  });
  t.fleet.publish({ snapshot, source: "file", timestampMs: 0, originalYaml: () => assert.fail("so was the document") });
  await settled();
});

test("a node is stale after three of its own intervals without a word, and connected again with the next one", () => {
  const t = new TestFleet();
  const stream = t.connect({ nodeId: "slow", heartbeatIntervalMs: 60_000 });
  t.connect({ nodeId: "swift", heartbeatIntervalMs: 1_000 });
  t.clock.advance(3_001);
  assert.deepEqual(t.statuses(), ["slow connected", "swift stale"]);
  t.clock.advance(177_000);
  assert.deepEqual(t.statuses(), ["slow stale", "swift stale"]);
  stream.events.received(heartbeatOf(undefined));
  assert.deepEqual(t.statuses(), ["slow connected", "swift stale"]);
});

test("a node that left is offline until it is forgotten", () => {
  const t = new TestFleet();
  const stream = t.connect();
  assert.equal(t.fleet.forget("n1"), "connected");
  stream.events.closed();
  assert.deepEqual(t.statuses(), ["n1 offline"]);
  assert.equal(t.fleet.forget("n1"), "forgotten");
  assert.deepEqual(t.statuses(), []);
  assert.equal(t.fleet.forget("n1"), "unknown");
});

test("a node that comes back before its old stream has ended never vanishes, nor when that end comes", () => {
  const t = new TestFleet();
  const old = t.connect();
  t.connect();
  assert.equal(old.end_?.kind, "streamReplaced");
  assert.deepEqual(t.statuses(), ["n1 connected"]);
  old.events.closed();
  assert.deepEqual(t.statuses(), ["n1 connected"]);
});

test("another process that claims the id of a live one is refused and both are shown", () => {
  const t = new TestFleet();
  const first = t.connect();
  const second = t.connect({ instanceId: "i2" });
  assert.equal(second.end_?.kind, "identityRefused");
  assert.equal(first.end_, undefined);
  t.connect({ instanceId: "i2" });
  assert.deepEqual(t.statuses(), ["n1 connected", "n1 rejected"]);
  assert.equal(t.fleet.nodes()[1]?.rejection?.attempts, 2);
});

test("a restarted node takes the place of its former process once that is silent", () => {
  const t = new TestFleet();
  const former = t.connect();
  t.clock.advance(3_001);
  t.connect({ instanceId: "i2" });
  assert.equal(former.end_?.kind, "streamReplaced");
  assert.deepEqual(t.statuses(), ["n1 connected"]);
});

test("a rejected node that stops trying is no longer listed after a while", () => {
  const t = new TestFleet();
  t.connect({ version: "1.5.0" });
  assert.deepEqual(t.statuses(), ["n1 rejected"]);
  t.clock.advance(600_000);
  assert.deepEqual(t.statuses(), []);
});

test("a node that is let in is no longer shown as rejected", () => {
  const t = new TestFleet();
  t.connect({ version: "1.5.0" });
  t.connect({ version: "1.4.9" });
  assert.deepEqual(t.statuses(), ["n1 connected"]);
});

test("nodes of an earlier life of the control plane are listed as offline", () => {
  const ledger = new MemoryIdentityLedger([["n7", "sha256:k1"]]);
  const t = new TestFleet({ ledger });
  assert.deepEqual(t.statuses(), ["n7 offline"]);
});

test("when the list is full the node that is offline longest makes room, and connected ones never do", () => {
  const t = new TestFleet({ maxNodes: 2 });
  t.connect({ nodeId: "a" }).events.closed();
  t.connect({ nodeId: "b" });
  t.connect({ nodeId: "c" });
  assert.deepEqual(t.statuses(), ["b connected", "c connected"]);
  assert.equal(t.connect({ nodeId: "d" }).end_?.kind, "overloaded");
});

test("a few are sent to at a time, in order, and a slow one does not keep the others waiting", async () => {
  const t = new TestFleet({ maxConcurrentSends: 1 });
  t.publish(1);
  const slow = t.connect({ nodeId: "slow" });
  slow.isSlow = true;
  const other = t.connect({ nodeId: "other" });
  await settled();
  assert.deepEqual([slow.versions, other.versions], [[1], []]);
  t.clock.advance(5_000);
  await settled();
  assert.deepEqual(other.versions, [1]);
});

test("a wait ends when everyone has answered, and tells who applied, refused or left", async () => {
  const t = new TestFleet();
  const [good, bad, gone] = ["good", "bad", "gone"].map((nodeId) => t.connect({ nodeId }));
  t.publish(1);
  await settled();
  const waiting = t.fleet.waitApplied(1, { timeoutMs: 10_000 });
  t.clock.advance(20);
  const { epoch } = stampOf(1);
  good!.events.received({ type: "ack", ...stampOf(1), durationsMs: {} });
  const problems = [{ path: "", message: "in use" }];
  bad!.events.received({ type: "nack", epoch, version: 1, reason: "RW_X", problems, running: undefined });
  gone!.events.closed();
  assert.deepEqual(await waiting, {
    version: 1,
    complete: false,
    applied: [{ nodeId: "good", afterMs: 20 }],
    missing: [
      { nodeId: "bad", why: "refused", detail: "RW_X in use" },
      { nodeId: "gone", why: "left", detail: "its connection ended" },
    ],
    slowest: { nodeId: "good", afterMs: 20 },
    medianMs: 20,
    p99Ms: 20,
  });
});

test("a wait ends when its time is up, and tells who had not answered", async () => {
  const t = new TestFleet();
  t.connect();
  t.publish(1);
  const waiting = t.fleet.waitApplied(1, { timeoutMs: 10_000 });
  t.clock.advance(10_000);
  const report = await waiting;
  assert.deepEqual(
    [report.complete, report.missing],
    [false, [{ nodeId: "n1", why: "pending", detail: "no answer in time" }]],
  );
});

test("a wait for a fleet without nodes ends at once", async () => {
  const t = new TestFleet();
  t.publish(1);
  assert.equal((await t.fleet.waitApplied(1, { timeoutMs: 10_000 })).complete, true);
});

test("only so many may wait at a time", () => {
  const t = new TestFleet();
  t.connect();
  t.publish(1);
  for (let waits = 0; waits < 100; waits += 1) void t.fleet.waitApplied(1, { timeoutMs: 1_000 });
  assert.throws(() => t.fleet.waitApplied(1, { timeoutMs: 1_000 }), /too many/);
});

test("a revoked certificate loses its stream at once, is refused when it comes again, and is shown so", () => {
  const revoked = new Set<string>();
  const t = new TestFleet({
    revocationOf: (_nodeId, { fingerprint }) => (revoked.has(fingerprint) ? "it was revoked" : undefined),
  });
  const [one, two] = ["one", "two"].map((nodeId) =>
    t.connect({ nodeId }, { fingerprint: nodeId, keyFingerprint: nodeId }),
  );
  revoked.add("one");
  t.fleet.enforceRevocations();
  assert.deepEqual(one!.end_, { kind: "certificateRevoked", detail: "it was revoked" });
  assert.equal(two!.end_, undefined);
  const again = t.connect({ nodeId: "one" }, { fingerprint: "one", keyFingerprint: "one" });
  assert.equal(again.end_?.kind, "certificateRevoked");
  assert.deepEqual(again.sent, []);
  assert.deepEqual(t.statuses(), ["one offline", "one rejected", "two connected"]);
  const renewed = t.connect({ nodeId: "one" }, { fingerprint: "newer", keyFingerprint: "one" });
  assert.equal(renewed.end_, undefined);
});

test("a stream counts with the newest certificate that its node has, and is revoked with any", () => {
  const revoked = new Set<string>();
  const methods: FleetOptions["methods"] = {
    "t.v1.renew": (_params, _signal, node) => {
      node.renewed({ ...certificateOf(), fingerprint: "second" });
      return node.nodeId;
    },
  };
  const revocationOf: FleetOptions["revocationOf"] = (_nodeId, { fingerprint }) =>
    revoked.has(fingerprint) ? "it was revoked" : undefined;
  const t = new TestFleet({ methods, revocationOf });
  for (const either of ["first", "second"]) {
    const stream = t.connect({ nodeId: either }, { fingerprint: "first" });
    const frame = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "t.v1.renew", params: {} });
    stream.events.received({ type: "rpc", frame });
    assert.equal(t.fleet.nodes().find(({ nodeId }) => nodeId === either)?.certificate?.fingerprint, "second");
    revoked.add(either);
    t.fleet.enforceRevocations();
    assert.equal(stream.end_?.kind, "certificateRevoked");
    revoked.clear();
  }
});
