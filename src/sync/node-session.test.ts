import assert from "node:assert/strict";
import { test } from "node:test";
import { xxhash64 } from "../config/state-hash.ts";
import type { Chunk, FromControlPlane, Welcome } from "./messages.ts";
import { stepNode } from "./node-session.ts";
import {
  type ApplyOutcome,
  initialNodeState,
  knownAddresses,
  type NodeEffect,
  type NodeIdentity,
  type NodeOccurrence,
  type NodeState,
} from "./node-state.ts";
import { deltaOf, publicationOf, snapshotOf, stampOf } from "./testing/messages.ts";

const NODE: NodeIdentity = {
  nodeId: "n1",
  version: "1.4.1",
  hostname: "host",
  labels: {},
  plugins: {},
  instanceId: "i1",
  addresses: ["cp-1:9443"],
  heartbeatIntervalMs: 10_000,
  retryIntervalMs: 5_000,
  encodings: ["json"],
  takesDeltas: true,
  rpcPrefixes: ["runway.node.v1"],
};

const WELCOME: Welcome = {
  type: "welcome",
  newest: undefined,
  capabilities: ["snapshot.v1"],
  controlPlaneId: "cp",
  heartbeatIntervalMs: 10_000,
  addresses: [],
};
/** Feeds events to a session and keeps what it wants done. */
class Course {
  state: NodeState;
  effects: readonly NodeEffect[] = [];
  atMs = 0;

  constructor(state: NodeState = initialNodeState()) {
    this.state = state;
  }

  feed(occurrence: NodeOccurrence): this {
    const step = stepNode(NODE, this.state, { ...occurrence, atMs: this.atMs, random: 0.5 });
    this.state = step.state;
    this.effects = step.effects;
    return this;
  }

  receive(...messages: readonly FromControlPlane[]): this {
    for (const message of messages) this.feed({ type: "received", message });
    return this;
  }

  /** Up to the point at which a control plane of ours has accepted the node. */
  live(): this {
    return this.feed({ type: "start" }).feed({ type: "opened" }).receive(WELCOME);
  }

  offer(version: number, epoch?: string): this {
    return this.receive(...publicationOf(version, undefined, epoch).chunks("json"));
  }

  finish(version: number): this {
    const outcome: ApplyOutcome = { ok: true, stateHash: stampOf(version).hash, durationsMs: { compile: 1 } };
    return this.feed({ type: "applied", outcome });
  }

  get types(): readonly string[] {
    return this.effects.map(({ type }) => type);
  }

  get sent(): readonly Record<string, unknown>[] {
    return this.effects.flatMap((effect) => (effect.type === "send" ? [{ ...effect.message }] : []));
  }

  delayOf(timer: string): number | undefined {
    const found = this.effects.find((effect) => effect.type === "set timer" && effect.timer === timer);
    return found?.type === "set timer" ? found.delayMs : undefined;
  }
}

test("a node says hello once the connection is open, and is live only once it is welcomed", () => {
  const course = new Course().feed({ type: "start" });
  assert.deepEqual(course.effects[0], { type: "connect", address: "cp-1:9443" });
  course.feed({ type: "opened" });
  assert.equal(course.sent[0]?.type, "hello");
  assert.equal(course.state.link.phase, "greeting");
  course.receive(WELCOME);
  assert.equal(course.state.link.phase, "live");
  assert.ok(course.types.includes("send heartbeat"));
});

test("what a control plane sends before its welcome is not taken", () => {
  const course = new Course().feed({ type: "start" }).feed({ type: "opened" }).offer(1);
  assert.equal(course.state.applying, undefined);
});

test("a snapshot in several chunks is applied when the last one is there, and acknowledged when it runs", () => {
  const chunks = publicationOf(1, 16).chunks("json");
  assert.ok(chunks.length > 2);
  const course = new Course().live().receive(...chunks.slice(0, -1));
  assert.deepEqual(course.types, []);
  course.receive(chunks.at(-1)!);
  assert.deepEqual(course.effects, [
    { type: "apply", incoming: { kind: "snapshot", snapshot: snapshotOf(1), delta: undefined } },
  ]);
  course.finish(1);
  assert.deepEqual(course.sent, [{ type: "ack", ...stampOf(1), durationsMs: { compile: 1 } }]);
  assert.deepEqual(course.types, ["send"]);
  assert.deepEqual(course.state.running, stampOf(1));
});

test("an older version of the epoch is refused, whatever the newer one is doing", () => {
  const running = new Course(initialNodeState(snapshotOf(5))).live().offer(4);
  assert.equal(running.sent[0]?.reason, "RW_STALE_VERSION");
  const applying = new Course(initialNodeState(snapshotOf(3))).live().offer(5).offer(4);
  assert.equal(applying.sent[0]?.reason, "RW_STALE_VERSION");
  const pending = new Course(initialNodeState(snapshotOf(3))).live().offer(4).offer(6).offer(5);
  assert.equal(pending.sent[0]?.reason, "RW_STALE_VERSION");
  for (const { state } of [running, applying, pending]) assert.equal(state.lastReloadError, "");
});

test("a change builds on what runs, and ends in the announced state", () => {
  const course = new Course(initialNodeState(snapshotOf(1))).live().receive(deltaOf(1, 2));
  const applying = course.state.applying;
  assert.equal(applying?.kind === "snapshot" && applying.snapshot.hash, snapshotOf(2).hash);
  assert.deepEqual(applying?.kind === "snapshot" && applying.snapshot.resources, snapshotOf(2).resources);
  course.finish(2).receive(deltaOf(2, 3));
  assert.deepEqual(course.types, ["apply"]);
});

test("a node that is to doubt what it runs reports no hash, takes the same version anew as a whole, and nothing older", () => {
  const course = new Course(initialNodeState(snapshotOf(5))).live().feed({ type: "resync" });
  assert.deepEqual(course.effects[0], { type: "send heartbeat", running: { ...stampOf(5), hash: 0n } });
  assert.equal(course.offer(4).sent[0]?.reason, "RW_STALE_VERSION");
  assert.equal(course.receive(deltaOf(5, 6)).sent[0]?.reason, "RW_DELTA_MISMATCH");
  assert.deepEqual(course.offer(5).types, ["apply"]);
  course.finish(5);
  assert.deepEqual(course.sent, [{ type: "ack", ...stampOf(5), durationsMs: { compile: 1 } }]);
  assert.equal(course.types.includes("send heartbeat"), false);
});

test("what was on its way as a change when doubt came does not end it", () => {
  const course = new Course(initialNodeState(snapshotOf(1))).live().receive(deltaOf(1, 2)).feed({ type: "resync" });
  course.finish(2);
  assert.deepEqual(course.effects[1], { type: "send heartbeat", running: { ...stampOf(2), hash: 0n } });
  assert.deepEqual(course.offer(2).types, ["apply"]);
});

test("a change is refused that builds on something else, comes too early or was damaged", () => {
  const reasonOf = (course: Course) => course.sent[0]?.reason;
  const node = () => new Course(initialNodeState(snapshotOf(1))).live();
  const update = deltaOf(1, 2);
  assert.equal(reasonOf(new Course().live().receive(update)), "RW_DELTA_MISMATCH");
  assert.equal(reasonOf(node().receive(deltaOf(2, 3))), "RW_DELTA_MISMATCH");
  assert.equal(reasonOf(node().offer(2).receive(deltaOf(1, 3))), "RW_DELTA_MISMATCH");
  assert.equal(reasonOf(node().receive({ ...update, checksum: 7n })), "RW_INTEGRITY_MISMATCH");
  assert.equal(reasonOf(node().receive({ ...update, stamp: stampOf(3) })), "RW_INTEGRITY_MISMATCH");
  assert.equal(reasonOf(node().receive({ ...update, encoding: "morse" })), "RW_INTEGRITY_MISMATCH");
  assert.equal(reasonOf(new Course(initialNodeState(snapshotOf(3))).live().receive(update)), "RW_STALE_VERSION");
});

test("a node turns to the control planes that the last one spoke of, when those that it was told of do not answer", () => {
  const course = new Course().live().receive({ ...WELCOME, addresses: ["cp-2:9443"] });
  const tried: string[] = [];
  for (let attempt = 0; attempt < 4; attempt++) {
    course.feed({ type: "closed", reason: "gone" }).feed({ type: "timer", timer: "reconnect" });
    tried.push(...course.effects.flatMap((effect) => (effect.type === "connect" ? [effect.address] : [])));
  }
  assert.deepEqual(tried, ["cp-2:9443", "cp-1:9443", "cp-2:9443", "cp-1:9443"]);
});

test("a fleet spreads over the control planes that it was told of, each node beginning where it always does", () => {
  const addresses = ["a:1", "b:1", "c:1"];
  const firsts = Array.from({ length: 300 }, (_, index) => {
    const node = { ...NODE, nodeId: `node-${index}`, addresses };
    const first = knownAddresses(node, initialNodeState())[0]!;
    assert.equal(knownAddresses(node, initialNodeState())[0], first);
    return first;
  });
  for (const address of addresses) assert.ok(firsts.filter((first) => first === address).length > 60, address);
});

test("another epoch is another count", () => {
  const course = new Course(initialNodeState(snapshotOf(5))).live().offer(1, "another");
  assert.deepEqual(course.types, ["apply"]);
});

test("what runs already is acknowledged again and not applied again", () => {
  const course = new Course(initialNodeState(snapshotOf(5))).live().offer(5);
  assert.deepEqual(course.types, ["send"]);
  assert.equal(course.sent[0]?.type, "ack");
});

test("only the newest of what comes during an apply is applied afterwards", () => {
  const course = new Course().live().offer(1).offer(2).offer(3);
  assert.deepEqual(course.types, []);
  course.finish(1);
  const next = course.effects.at(-1);
  assert.equal(next?.type === "apply" && next.incoming.kind === "snapshot" && next.incoming.snapshot.version, 3);
  assert.equal(course.state.pending, undefined);
});

test("a refusal carries the reason, the problems and what runs still", () => {
  const problems = [{ path: "listeners[0].address", message: "in use", kind: "listener", id: "http" }];
  const course = new Course(initialNodeState(snapshotOf(1))).live().offer(2);
  course.feed({ type: "applied", outcome: { ok: false, reason: "RW_CONFIGURATION_REFUSED", problems } });
  const { epoch } = stampOf(2);
  const nack = { type: "nack", epoch, version: 2, reason: "RW_CONFIGURATION_REFUSED", problems, running: stampOf(1) };
  assert.deepEqual(course.sent, [nack]);
  assert.equal(course.state.lastReloadError, "listeners[0].address: in use");
  assert.deepEqual(course.state.running, stampOf(1));
});

function refusalOf(...chunks: readonly Chunk[]): unknown {
  const course = new Course().live().receive(...chunks);
  assert.equal(course.state.applying, undefined);
  return course.sent[0]?.reason;
}

test("bytes that do not have the checksum, and resources that do not have the hash, are refused and never applied", () => {
  const [chunk] = publicationOf(1).chunks("json");
  assert.equal(refusalOf({ ...chunk!, checksum: 1n }), "RW_INTEGRITY_MISMATCH");
  assert.equal(refusalOf({ ...chunk!, stamp: { ...chunk!.stamp, hash: 1n } }), "RW_INTEGRITY_MISMATCH");
  const data = Buffer.from('[{"kind":"route"}]');
  assert.equal(refusalOf({ ...chunk!, data, checksum: xxhash64(data) }), "RW_INTEGRITY_MISMATCH");
  const bomb = { ...chunk!, encoding: "json+brotli" };
  assert.equal(refusalOf(bomb), "RW_INTEGRITY_MISMATCH");
});

test("chunks out of order, too many or too large break the protocol", () => {
  const chunks = publicationOf(1, 16).chunks("json");
  assert.equal(refusalOf(chunks[0]!, chunks[2]!), "RW_PROTOCOL_VIOLATION");
  assert.equal(refusalOf(chunks[1]!), "RW_PROTOCOL_VIOLATION");
  assert.equal(refusalOf({ ...chunks[0]!, count: 1_000 }), "RW_PROTOCOL_VIOLATION");
  assert.equal(refusalOf({ ...chunks[0]!, data: new Uint8Array((1 << 20) + 1) }), "RW_PROTOCOL_VIOLATION");
  assert.equal(refusalOf(chunks[0]!, { ...chunks[1]!, checksum: 7n }), "RW_PROTOCOL_VIOLATION");
});

test("a transfer that was cut is gone on with where it stopped", () => {
  const publication = publicationOf(1, 16);
  const chunks = publication.chunks("json");
  const course = new Course().live().receive(chunks[0]!, chunks[1]!);
  course.feed({ type: "closed", reason: "cut" }).feed({ type: "timer", timer: "reconnect" }).feed({ type: "opened" });
  const { epoch } = stampOf(1);
  assert.deepEqual(course.sent[0]?.partial, { epoch, version: 1, checksum: chunks[0]!.checksum, nextIndex: 2 });
  course.receive(WELCOME, ...chunks.slice(2));
  assert.deepEqual(course.types, ["apply"]);
});

test("an apply goes on while the connection is lost, and the next hello tells of it", () => {
  const course = new Course().live().offer(1).feed({ type: "closed", reason: "cut" }).finish(1);
  assert.deepEqual(course.types, []);
  course.feed({ type: "timer", timer: "reconnect" }).feed({ type: "opened" });
  assert.deepEqual(course.sent[0]?.running, stampOf(1));
});

test("heartbeats go on during an apply", () => {
  const course = new Course().live().offer(1).feed({ type: "timer", timer: "heartbeat" });
  assert.deepEqual(course.types, ["send heartbeat", "set timer"]);
});

test("after a connection that lasted the next attempt comes within a second, otherwise pauses grow", () => {
  const course = new Course().live();
  course.atMs = 9_000;
  assert.equal(course.feed({ type: "closed", reason: "x" }).delayOf("reconnect"), 2_500);
  course.feed({ type: "timer", timer: "reconnect" });
  course.atMs = 29_000;
  assert.equal(course.feed({ type: "closed", reason: "x" }).delayOf("reconnect"), 10_000);
  course.feed({ type: "timer", timer: "reconnect" }).feed({ type: "opened" }).receive(WELCOME);
  course.atMs = 50_000;
  assert.equal(course.feed({ type: "closed", reason: "x" }).delayOf("reconnect"), 500);
});

test("what a control plane asked for is kept to, for a minute at most, until one has let the node in", () => {
  const course = new Course().feed({ type: "start" });
  course.feed({ type: "closed", reason: "busy", comeBackAfterMs: 8_000 });
  assert.equal(course.delayOf("reconnect"), 12_000);
  course.atMs = 2_000;
  course.feed({ type: "timer", timer: "reconnect" }).feed({ type: "closed", reason: "unreachable" });
  assert.equal(course.delayOf("reconnect"), 9_000);
  course.feed({ type: "timer", timer: "reconnect" }).feed({ type: "closed", reason: "busy", comeBackAfterMs: 1e9 });
  assert.equal(course.delayOf("reconnect"), 90_000);
  course.feed({ type: "timer", timer: "reconnect" }).feed({ type: "opened" }).receive(WELCOME);
  assert.equal(course.feed({ type: "closed", reason: "x" }).delayOf("reconnect"), 2_500);
});

test("an attempt that takes too long is given up", () => {
  const course = new Course().feed({ type: "start" }).feed({ type: "timer", timer: "opening" });
  assert.equal(course.types[0], "disconnect");
  assert.equal(course.state.link.phase, "waiting");
});

test("a control plane that is silent after the hello is an original one, until it welcomes after all", () => {
  const course = new Course()
    .feed({ type: "start" })
    .feed({ type: "opened" })
    .feed({ type: "timer", timer: "greeting" });
  assert.equal(course.state.link.phase === "live" && course.state.link.peer, "original");
  course.receive(WELCOME);
  assert.equal(course.state.link.phase === "live" && course.state.link.peer, "runway");
});

test("after a configuration of an original control plane, one of ours is taken whatever its version", () => {
  const yaml = Buffer.from("routes: []\n");
  const update = { type: "original", version: 99, yaml, hash: xxhash64(yaml), timestampMs: 0, source: "file" } as const;
  const course = new Course().feed({ type: "start" }).feed({ type: "opened" }).receive(update);
  assert.equal(course.effects.at(-1)?.type, "apply");
  course.feed({ type: "applied", outcome: { ok: true, stateHash: 5n, durationsMs: {} } });
  assert.deepEqual(
    [course.state.running, course.state.originalHash],
    [{ epoch: "", version: 99, hash: 5n }, update.hash],
  );
  course.receive(WELCOME).offer(1);
  assert.deepEqual(course.types, ["apply"]);
  assert.equal(course.finish(1).state.originalHash, 0n);
});

test("a node that is stopped drops its connection and starts nothing anew", () => {
  const course = new Course().live().feed({ type: "stop" });
  assert.equal(course.types[0], "disconnect");
  assert.deepEqual(course.feed({ type: "timer", timer: "reconnect" }).types, []);
});

test("a node that is stopped while it applies does not begin with what waited", () => {
  const course = new Course().live().offer(1).offer(2).feed({ type: "stop" }).finish(1);
  assert.deepEqual(course.types, []);
  assert.equal(course.state.running?.version, 1);
});
