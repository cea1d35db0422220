import assert from "node:assert/strict";
import { test } from "node:test";
import { silentLogger, silentMeter } from "../core/ports.ts";
import { Agent, type ApplySink } from "./agent.ts";
import type { ConnectionEvents } from "./connection.ts";
import type { FromNode } from "./messages.ts";
import { ManualClock } from "./testing/manual-clock.ts";
import { publicationOf, STATUS, snapshotOf, stampOf } from "./testing/messages.ts";

/** An agent whose control plane is the test. */
class Wire {
  readonly clock = new ManualClock();
  readonly attempts: string[] = [];
  readonly sent: FromNode[] = [];
  events!: ConnectionEvents;
  isClosed = false;
  readonly agent: Agent;

  constructor(sink: ApplySink, addresses: readonly string[] = ["cp:1"]) {
    this.agent = new Agent({
      nodeId: "n1",
      version: "1.4.0",
      hostname: "host",
      labels: {},
      addresses,
      heartbeatIntervalMs: 1_000,
      retryIntervalMs: 5_000,
      connector: {
        connect: (address, events) => {
          this.attempts.push(address);
          this.events = events;
          return { send: (message) => this.sent.push(message), close: () => (this.isClosed = true) };
        },
      },
      sink,
      clock: this.clock,
      random: () => 0.5,
      logger: silentLogger,
      meter: silentMeter,
      status: () => STATUS,
      running: snapshotOf(1),
    });
  }

  async live(): Promise<this> {
    await this.agent.start();
    this.events.opened();
    const welcome = {
      newest: undefined,
      capabilities: [],
      controlPlaneId: "cp",
      heartbeatIntervalMs: 1_000,
      addresses: [],
    };
    this.events.received({ type: "welcome", ...welcome });
    return this;
  }

  offer(version: number): void {
    for (const chunk of publicationOf(version).chunks("json")) this.events.received(chunk);
  }
}

const idle: ApplySink = { apply: () => new Promise(() => {}) };
const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test("an agent starts with what the cache had, and is connected only once it was accepted", async () => {
  const wire = new Wire(idle);
  await wire.agent.start();
  wire.events.opened();
  const { connected, hasConfig, configVersion, configHash } = wire.agent.status();
  assert.deepEqual([connected, hasConfig, configVersion, configHash], [false, true, 1, stampOf(1).hash]);
  await wire.live();
  assert.equal(wire.agent.status().connected, true);
});

test("an apply that throws is a refusal, and the next configuration is taken", async () => {
  const sink: ApplySink = { apply: async () => Promise.reject(new Error("boom")) };
  const wire = await new Wire(sink).live();
  wire.offer(2);
  await settled();
  const nack = wire.sent.find(({ type }) => type === "nack");
  assert.equal(nack?.type === "nack" && nack.reason, "RW_INTERNAL");
  wire.offer(3);
  await settled();
  assert.equal(wire.sent.filter(({ type }) => type === "nack").length, 2);
});

test("heartbeats go on while a configuration is applied", async () => {
  const wire = await new Wire(idle).live();
  wire.offer(2);
  const before = wire.sent.length;
  wire.clock.advance(3_000);
  assert.deepEqual(
    wire.sent.slice(before).map(({ type }) => type),
    ["heartbeat", "heartbeat", "heartbeat"],
  );
});

test("a stopped agent closes its connection, tells the sink, and waits for it no longer than the deadline", async () => {
  let signal: AbortSignal | undefined;
  const sink: ApplySink = {
    apply: (_incoming, given) => {
      signal = given;
      return new Promise(() => {});
    },
  };
  const wire = await new Wire(sink).live();
  wire.offer(2);
  await wire.agent.stop(AbortSignal.timeout(20));
  assert.deepEqual([wire.isClosed, signal?.aborted, wire.agent.status().connected], [true, true, false]);
  await wire.agent.stop(AbortSignal.timeout(20));
});

test("what an old connection still says is not heard", async () => {
  const wire = await new Wire(idle, ["cp:2", "cp:1"]).live(); // Node n1 begins with the second.
  const old = wire.events;
  old.closed("gone");
  wire.clock.advance(1_000);
  assert.deepEqual(wire.attempts, ["cp:1", "cp:2"]);
  old.opened();
  old.closed("gone again");
  assert.equal(wire.agent.status().connected, false);
  assert.equal(wire.sent.filter(({ type }) => type === "hello").length, 1);
});
