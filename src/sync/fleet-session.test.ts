import assert from "node:assert/strict";
import { test } from "node:test";
import { deltaBetween } from "../config/delta.ts";
import { stepFleet } from "./fleet-session.ts";
import { type FleetEffect, type FleetOccurrence, type FleetState, initialFleetState, isInSync } from "./fleet-state.ts";
import type { FromNode, Hello, Nack, Stamp } from "./messages.ts";
import { Publication } from "./publication.ts";
import { deltaOf, heartbeatOf, helloOf, publicationOf, snapshotOf, stampOf } from "./testing/messages.ts";

const CONTROL_PLANE = {
  controlPlaneId: "cp",
  version: "1.4.0",
  compatibility: "patch" as const,
  behindLimitMs: 60_000,
  rpcPrefixes: [],
  otherAddresses: () => ["cp-2:9443"],
};

class Course {
  state: FleetState;
  effects: readonly FleetEffect[] = [];

  constructor(newest?: Publication) {
    this.state = initialFleetState(newest, 0);
  }

  feed(occurrence: FleetOccurrence): this {
    const step = stepFleet(CONTROL_PLANE, this.state, { ...occurrence, atMs: 0, random: 0 });
    this.state = step.state;
    this.effects = step.effects;
    return this;
  }

  receive(message: FromNode): this {
    return this.feed({ type: "received", message });
  }

  live(changes: Partial<Hello> = {}): this {
    return this.feed({ type: "opened" }).receive(helloOf(changes)).feed({ type: "authorised" });
  }

  /** Sends the whole of what is offered. */
  deliver(): this {
    this.feed({ type: "turn" });
    while (this.state.offer?.phase === "sending") this.feed({ type: "sent" });
    return this;
  }

  ack(stamp: Stamp): this {
    return this.receive({ type: "ack", ...stamp, durationsMs: {} });
  }

  nack(version: number, changes: Partial<Nack> = {}): this {
    const { epoch } = stampOf(version);
    const nack: Nack = { type: "nack", epoch, version, reason: "RW_X", problems: [], running: undefined, ...changes };
    return this.receive(nack);
  }

  get types(): readonly string[] {
    return this.effects.map(({ type }) => type);
  }

  get offerDelayMs(): number | undefined {
    const timer = this.effects.find((effect) => effect.type === "set timer" && effect.timer === "offer");
    return timer?.type === "set timer" ? timer.delayMs : undefined;
  }

  timer(name: string): number | undefined {
    const timer = this.effects.find((effect) => effect.type === "set timer" && effect.timer === name);
    return timer?.type === "set timer" ? timer.delayMs : undefined;
  }

  get alarm(): boolean | undefined {
    const alarm = this.effects.find((effect) => effect.type === "alarm");
    return alarm?.type === "alarm" ? alarm.isBehind : undefined;
  }

  get end(): unknown {
    return this.effects.find(({ type }) => type === "end");
  }
}

test("a node that is level is welcomed and sent nothing", () => {
  const course = new Course(publicationOf(3)).live({ running: stampOf(3) });
  assert.deepEqual(course.types, ["send"]);
  assert.equal(isInSync(course.state), true);
});

test("a node that took this for an original control plane, and names no epoch, is still known to run what it said before", () => {
  const course = new Course(publicationOf(3)).live({ running: stampOf(3) });
  course.receive(heartbeatOf({ epoch: "", version: 3, hash: 0n }));
  assert.equal(isInSync(course.state), true);
  assert.deepEqual(course.types, ["report"]);
});

/** The newest is `version`, and what was before it is known. */
function publicationSince(version: number): Publication {
  const snapshot = snapshotOf(version);
  const since = ({ version: from }: Stamp) => deltaBetween(snapshotOf(from).resources, snapshot.resources);
  return new Publication({ snapshot, source: "file", timestampMs: 1, originalYaml: () => "", since });
}

const DELTAS = { capabilities: ["snapshot.v1", "delta.v1"], running: stampOf(2) };

test("a node that takes changes is sent what it lacks", () => {
  const course = new Course(publicationSince(3)).live(DELTAS).feed({ type: "turn" });
  assert.deepEqual(course.effects, [{ type: "send", message: deltaOf(2, 3) }]);
  course.feed({ type: "sent" }).ack(stampOf(3));
  assert.equal(isInSync(course.state), true);
});

for (const reason of ["RW_DELTA_MISMATCH", "RW_INTEGRITY_MISMATCH"])
  test(`a node that says ${reason} of a change is sent everything at once`, () => {
    const course = new Course(publicationSince(3))
      .live(DELTAS)
      .deliver()
      .nack(3, { reason, running: stampOf(2) });
    assert.equal(course.offerDelayMs, undefined);
    course.feed({ type: "turn" });
    assert.equal(course.effects[0]?.type === "send" && course.effects[0].message.type, "chunk");
  });

test("a node that ends elsewhere by a change is sent everything after a pause", () => {
  const course = new Course(publicationSince(3))
    .live(DELTAS)
    .deliver()
    .ack({ ...stampOf(3), hash: 1n });
  assert.notEqual(course.offerDelayMs, undefined);
  course.feed({ type: "timer", timer: "offer" }).feed({ type: "turn" });
  assert.equal(course.effects[0]?.type === "send" && course.effects[0].message.type, "chunk");
});

test("a node that does not take changes is sent everything", () => {
  const course = new Course(publicationSince(3)).live({ running: stampOf(2) }).feed({ type: "turn" });
  assert.equal(course.effects[0]?.type === "send" && course.effects[0].message.type, "chunk");
});

test("a node that is behind is sent every chunk in its turn and is in sync once it says so", () => {
  const publication = publicationOf(3, 16);
  const course = new Course(publication).live();
  assert.deepEqual(course.types, ["send", "ask for turn", "set timer"]);
  course.feed({ type: "turn" });
  const sent: unknown[] = [];
  while (course.state.offer?.phase === "sending") {
    sent.push(...course.effects.flatMap((effect) => (effect.type === "send" ? [effect.message] : [])));
    course.feed({ type: "sent" });
  }
  assert.deepEqual(sent, publication.chunks("json"));
  assert.equal(isInSync(course.state), false);
  course.ack(stampOf(3));
  assert.equal(isInSync(course.state), true);
});

test("a transfer goes on with the chunk that the node lacks, if it is of the same bytes", () => {
  const publication = publicationOf(3, 16);
  const [first] = publication.chunks("json");
  const partial = { epoch: stampOf(3).epoch, version: 3, checksum: first!.checksum, nextIndex: 2 };
  const resumed = new Course(publication).live({ partial }).feed({ type: "turn" });
  assert.deepEqual(resumed.effects, [{ type: "send", message: publication.chunks("json")[2] }]);
  const other = new Course(publication).live({ partial: { ...partial, checksum: 1n } }).feed({ type: "turn" });
  assert.deepEqual(other.effects, [{ type: "send", message: first }]);
});

test("while a node is busy nothing more is sent, then the newest", () => {
  const course = new Course(publicationOf(1)).live().deliver();
  course.feed({ type: "published", publication: publicationOf(2) });
  course.feed({ type: "published", publication: publicationOf(3) });
  assert.equal(course.types.includes("ask for turn"), false);
  course.ack(stampOf(1));
  assert.ok(course.types.includes("ask for turn"));
  course.feed({ type: "turn" });
  const [effect] = course.effects;
  assert.equal(effect?.type === "send" && effect.message.type === "chunk" && effect.message.stamp.version, 3);
});

test("what is refused is offered again after pauses that double, for as long as it is the newest", () => {
  const course = new Course(publicationOf(1)).live();
  const delays: (number | undefined)[] = [];
  for (let times = 0; times < 8; times += 1) {
    course.deliver().nack(1);
    delays.push(course.offerDelayMs);
    assert.equal(course.types.includes("ask for turn"), false);
    course.feed({ type: "timer", timer: "offer" });
    assert.ok(course.types.includes("ask for turn"));
  }
  assert.deepEqual(delays, [1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  course
    .feed({ type: "published", publication: publicationOf(2) })
    .deliver()
    .nack(2);
  assert.equal(course.offerDelayMs, 1_000);
});

test("a refusal of what is no longer the newest does not delay the newest", () => {
  const course = new Course(publicationOf(1)).live().deliver();
  course.feed({ type: "published", publication: publicationOf(2) }).nack(1);
  assert.ok(course.types.includes("ask for turn"));
  assert.equal(course.offerDelayMs, undefined);
});

test("a heartbeat that shows another state is answered with an offer, unless one is on its way", () => {
  const course = new Course(publicationOf(2)).live({ running: stampOf(2) });
  course.receive(heartbeatOf(stampOf(2)));
  assert.deepEqual(course.types, ["report"]);
  course.receive(heartbeatOf(stampOf(1)));
  assert.deepEqual(course.types, ["report", "ask for turn", "set timer"]);
  course.receive(heartbeatOf(stampOf(1)));
  assert.deepEqual(course.types, ["report"]);
});

test("an ack with another hash than the configuration's is no green light, and is tried again later", () => {
  const course = new Course(publicationOf(1))
    .live()
    .deliver()
    .ack({ ...stampOf(1), hash: 1n });
  assert.equal(isInSync(course.state), false);
  assert.equal(course.offerDelayMs, 1_000);
});

test("a node that runs a newer version of the epoch is left alone", () => {
  const course = new Course(publicationOf(4)).live({ running: stampOf(5) });
  assert.deepEqual(course.types, ["send"]);
  assert.equal(isInSync(course.state), false);
});

test("a node that never answers is offered the newest again in the end", () => {
  const course = new Course(publicationOf(1)).live().deliver();
  assert.deepEqual(course.effects.at(-1), { type: "set timer", timer: "answer", delayMs: 300_000 });
  course.feed({ type: "timer", timer: "answer" });
  assert.equal(course.offerDelayMs, 1_000);
});

test("a stream that does not begin with a hello, begins twice, or says nothing, is ended", () => {
  const end = { type: "end", kind: "protocolViolation" };
  const wrong = new Course().receive(heartbeatOf(undefined));
  assert.deepEqual(wrong.end, { ...end, detail: "first message must be ConnectRequest" });
  assert.deepEqual(new Course().live().receive(helloOf()).end, {
    ...end,
    detail: "a second ConnectRequest came on the stream",
  });
  const silent = new Course().feed({ type: "opened" }).feed({ type: "timer", timer: "hello" });
  assert.deepEqual(silent.end, { ...end, detail: "no ConnectRequest came in time" });
});

test("a hello with a name that is none, or more than a node may say, is refused", () => {
  for (const changes of [
    { nodeId: "" },
    { nodeId: "../etc" },
    { nodeId: "x".repeat(129) },
    { heartbeatIntervalMs: 1 },
    { labels: Object.fromEntries(Array.from({ length: 65 }, (_, index) => [`l${index}`, ""])) },
    { labels: { a: "x".repeat(300) } },
  ])
    assert.equal(new Course().receive(helloOf(changes)).types.includes("end"), true, JSON.stringify(changes));
});

test("the version gate comes before the question of identity", () => {
  const course = new Course().receive(helloOf({ version: "1.5.0" }));
  const detail = "version mismatch: CP=1.4.0 DP=1.5.0 (major.minor must match)";
  assert.deepEqual(course.end, { type: "end", kind: "versionMismatch", detail });
  assert.equal(course.types.includes("authorise"), false);
});

test("a node that left holds no turn, no timer and no configuration", () => {
  const course = new Course(publicationOf(1)).live().feed({ type: "turn" }).feed({ type: "closed" });
  assert.ok(course.types.includes("give up turn"));
  assert.deepEqual([course.state.newest, course.state.offer], [undefined, undefined]);
  assert.deepEqual(course.receive(heartbeatOf(undefined)).types, []);
});

test("an original data plane is sent the YAML alone, again after a pause while its heartbeats show another hash", () => {
  const publication = publicationOf(2);
  const course = new Course(publication).live({ capabilities: [], instanceId: "", heartbeatIntervalMs: 0 });
  assert.deepEqual(course.types, ["ask for turn", "set timer"]);
  course.feed({ type: "turn" });
  assert.deepEqual(course.effects, [{ type: "send", message: publication.original() }]);
  course.feed({ type: "sent" });
  assert.equal(course.offerDelayMs, 1_000);
  course.receive(heartbeatOf({ epoch: "", version: 1, hash: 9n }));
  assert.deepEqual(course.types, ["report", "set timer"]);
  assert.deepEqual(course.feed({ type: "timer", timer: "offer" }).types, []);
  course.receive(heartbeatOf({ epoch: "", version: 1, hash: 9n }));
  assert.deepEqual(course.types, ["report", "ask for turn"]);
  course.deliver().receive(heartbeatOf({ epoch: "", version: 2, hash: publication.original().hash }));
  assert.equal(isInSync(course.state), true);
  assert.deepEqual(course.feed({ type: "timer", timer: "offer" }).types, []);
});

test("a node that stays behind raises an alarm once, is pushed with longer pauses, and the alarm ends when it goes on", () => {
  const course = new Course(publicationOf(2)).live({ running: stampOf(1) });
  assert.deepEqual(course.timer("behind"), 60_000);
  course
    .deliver()
    .nack(2, { running: stampOf(1) })
    .feed({ type: "timer", timer: "behind" });
  assert.deepEqual([course.alarm, course.timer("behind")], [true, 120_000]);
  course.feed({ type: "timer", timer: "behind" });
  assert.deepEqual([course.alarm, course.timer("behind")], [undefined, 240_000]);
  course.feed({ type: "timer", timer: "offer" }).deliver().ack(stampOf(2));
  assert.equal(course.alarm, false);
  assert.deepEqual([course.state.behind, course.state.pushes], [undefined, 0]);
});

test("a push offers everything, and what is on its way is let be", () => {
  const course = new Course(publicationSince(2)).live({
    running: stampOf(1),
    capabilities: ["snapshot.v1", "delta.v1"],
  });
  course.deliver().feed({ type: "timer", timer: "behind" });
  assert.ok(!course.types.includes("ask for turn"));
  course.feed({ type: "timer", timer: "answer" }).feed({ type: "timer", timer: "offer" }).feed({ type: "turn" });
  assert.equal(course.effects.find((effect) => effect.type === "send")?.message.type, "chunk");
});

test("a node that goes on, and is behind since changes go on too, has its time anew", () => {
  const course = new Course(publicationOf(2)).live({ running: stampOf(1) });
  course.deliver().feed({ type: "published", publication: publicationOf(3) });
  assert.equal(course.timer("behind"), undefined);
  assert.equal(course.ack(stampOf(2)).timer("behind"), 60_000);
});

test("a node that is level, or ahead of a control plane that is behind itself, has no time to lose", () => {
  for (const version of [2, 3])
    assert.equal(new Course(publicationOf(2)).live({ running: stampOf(version) }).timer("behind"), undefined);
});
