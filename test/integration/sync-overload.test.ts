import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type StreamSink, TRANSPORTS } from "../../src/sync/connection.ts";
import type { FromControlPlane } from "../../src/sync/messages.ts";
import { eventually } from "../support/eventually.ts";
import { type NodeOptions, SyncFixture, snapshotOf, type TestNode } from "../support/sync-fixture.ts";

const NODES = 12;
const VERSION = 7;

/** Stands before a fleet as a network would through which no configuration gets, until it is opened. */
class Congestion {
  #held: (() => void)[] | undefined = [];

  before(fleet: StreamSink): StreamSink {
    return {
      connect: (stream) =>
        fleet.connect({
          peer: stream.peer,
          send: (message, sent) => this.#pass(message, () => stream.send(message, sent)),
          end: (kind, detail, comeBackAfterMs) => stream.end(kind, detail, comeBackAfterMs),
        }),
    };
  }

  open(): void {
    const held = this.#held ?? [];
    this.#held = undefined;
    for (const send of held) send();
  }

  #pass({ type }: FromControlPlane, send: () => void): void {
    if (type === "chunk" && this.#held !== undefined) this.#held.push(send);
    else send();
  }
}

let fixture: SyncFixture;
before(async () => {
  fixture = await SyncFixture.create();
});
after(() => fixture[Symbol.asyncDispose]());

async function startNodes(address: string, prefix: string, options: NodeOptions): Promise<TestNode[]> {
  const files = await fixture.authority.issue(prefix, { commonName: prefix });
  const start = (number: number) => fixture.startNode(address, { nodeId: `${prefix}-${number}`, files, ...options });
  return Promise.all(Array.from({ length: NODES }, (_, number) => start(number)));
}

describe("a control plane to which more nodes come at once than it can serve", () => {
  for (const transport of TRANSPORTS)
    test(`tells nodes over ${transport} when to come back, which they do, and all come level`, async () => {
      const congestion = new Congestion();
      const cp = await fixture.startControlPlane({
        ...{ maxConcurrentSends: 1, maxWaitingSends: 1 },
        before: (fleet) => congestion.before(fleet),
      });
      cp.publish(snapshotOf(VERSION));
      const deferred = () => fixture.counted.get("runway_fleet_deferrals_total") ?? 0;
      const [countBefore, loggedBefore] = [deferred(), fixture.logged.length];
      // By itself a node would not try again for long: what brings it back is what it was told.
      const nodes = await startNodes(cp.address, transport, { transport, retryIntervalMs: 60_000 });
      await eventually("all but two were told", () => deferred() - countBefore >= NODES - 2);
      congestion.open();
      await eventually("every node is level", () => nodes.every(({ version }) => version === VERSION));
      const lines = fixture.logged.slice(loggedBefore);
      assert.ok(lines.some((line) => line.startsWith("A node was told to come back later")));
      assert.ok(lines.some((line) => line.includes('come back in 1000 ms","comeBackAfterMs":1000')));
      // It is no rejection: nothing is wrong with such a node.
      assert.deepEqual([...new Set(cp.fleet.nodes().map(({ status }) => status))], ["connected"]);
    });

  test("lets a node in that is level, whoever waits", async () => {
    const cp = await fixture.startControlPlane({
      ...{ maxConcurrentSends: 1, maxWaitingSends: 0 },
      before: (fleet) => new Congestion().before(fleet),
    });
    const snapshot = snapshotOf(VERSION);
    cp.publish(snapshot);
    const first = await fixture.startNode(cp.address, { nodeId: "first" });
    await eventually("the first is connected", () => first.agent.status().connected);
    const level = await fixture.startNode(cp.address, { nodeId: "level", running: snapshot });
    const other = await fixture.startNode(cp.address, { nodeId: "other" });
    await eventually("the one is connected", () => level.agent.status().connected);
    await eventually("the other is told", () => /come back in/.test(other.agent.status().lastError));
  });
});
