import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { copyFileSync } from "node:fs";
import { after, before, describe, test } from "node:test";
import { createSnapshot, type Snapshot } from "../../src/config/snapshot.ts";
import type { NodeView } from "../../src/sync/node-view.ts";
import { eventually } from "../support/eventually.ts";
import { type ControlPlane, SyncFixture, snapshotOf, type TestNode } from "../support/sync-fixture.ts";

function rowOf(cp: ControlPlane, nodeId: string): NodeView {
  const row = cp.fleet.nodes().find((node) => node.nodeId === nodeId);
  assert.ok(row, `${nodeId} is listed`);
  return row;
}

async function level(cp: ControlPlane, node: TestNode, nodeId: string, version: number): Promise<void> {
  await eventually(`${nodeId} runs version ${version}`, () => node.version === version && rowOf(cp, nodeId).inSync);
}

for (const sync of ["delta", "full"] as const)
  describe(`sync: ${sync}`, () => {
    let fixture: SyncFixture;
    before(async () => {
      fixture = await SyncFixture.create(sync);
    });
    after(() => fixture[Symbol.asyncDispose]());

    test("a node is given the newest configuration, tells what it compiled, and shows true numbers", async () => {
      const cp = await fixture.startControlPlane();
      cp.publish(snapshotOf(7));
      const node = await fixture.startNode(cp.address, { nodeId: "one" });
      await level(cp, node, "one", 7);
      const { epoch, hash } = snapshotOf(7);
      const row = rowOf(cp, "one");
      assert.equal(row.status, "connected");
      assert.deepEqual([row.epoch, row.configVersion, row.configHash], [epoch, 7, hash]);
      assert.deepEqual(row.lastApply, { version: 7, durationsMs: { compile: 1, swap: 0.5 } });
      assert.deepEqual(
        [row.hostname, row.version, row.labels, row.transport],
        ["test-host", "1.4.1", { zone: "a" }, "grpc"],
      );
      await eventually("a heartbeat after the apply", () => rowOf(cp, "one").nodeStatus?.lastSuccessfulVersion === 7);
      const { nodeStatus } = rowOf(cp, "one");
      assert.deepEqual([nodeStatus?.routes, nodeStatus?.requestsTotal, nodeStatus?.latencyP99Ms], [3, 1_000, 20.25]);
      assert.equal(nodeStatus?.certificateNotAfterMs, 1_900_000_000_000);
    });

    test("a snapshot of many chunks arrives whole, and the next ones too", async () => {
      const cp = await fixture.startControlPlane();
      const node = await fixture.startNode(cp.address, { nodeId: "many" });
      await eventually("connected", () => node.agent.status().connected);
      for (const version of [1, 2]) {
        const snapshot = incompressible(version);
        cp.publish(snapshot);
        await level(cp, node, "many", version);
        const last = node.applied.at(-1);
        assert.equal(last?.kind === "snapshot" && last.snapshot.hash, snapshot.hash);
      }
    });

    test("waiting for a version answers when the connected fleet has applied it, with the slowest", async () => {
      const cp = await fixture.startControlPlane();
      const nodes = await Promise.all(["w1", "w2", "w3"].map((nodeId) => fixture.startNode(cp.address, { nodeId })));
      await eventually("connected", () => nodes.every(({ agent }) => agent.status().connected));
      cp.publish(snapshotOf(1));
      const report = await cp.fleet.waitApplied(1, { timeoutMs: 5_000 });
      assert.equal(report.complete, true);
      assert.deepEqual(report.applied.map(({ nodeId }) => nodeId).sort(), ["w1", "w2", "w3"]);
      assert.equal(report.slowest, report.applied[2]);
      const again = await cp.fleet.waitApplied(1, { timeoutMs: 5_000 });
      assert.equal(again.applied.length, 3);
    });

    test("a refusal is shown with its reason, other nodes go on, and the node comes level once it can, without anyone asking", async () => {
      const cp = await fixture.startControlPlane();
      const good = await fixture.startNode(cp.address, { nodeId: "good" });
      const bad = await fixture.startNode(cp.address, { nodeId: "bad" });
      await eventually("connected", () => good.agent.status().connected && bad.agent.status().connected);
      cp.publish(snapshotOf(1));
      await cp.fleet.waitApplied(1, { timeoutMs: 5_000 });
      bad.refuses = "127.0.0.1:8080 is in use";
      cp.publish(snapshotOf(2));
      const report = await cp.fleet.waitApplied(2, { timeoutMs: 5_000 });
      assert.equal(report.complete, false);
      assert.deepEqual(
        report.applied.map(({ nodeId }) => nodeId),
        ["good"],
      );
      assert.deepEqual(report.missing, [
        { nodeId: "bad", why: "refused", detail: "RW_CONFIGURATION_REFUSED 127.0.0.1:8080 is in use" },
      ]);
      const row = rowOf(cp, "bad");
      assert.deepEqual([row.inSync, row.configVersion, row.lagVersions, row.refusal?.version], [false, 1, 1, 2]);
      assert.deepEqual(row.refusal?.problems[0], {
        path: "listeners[0].address",
        message: "127.0.0.1:8080 is in use",
        kind: "listener",
        id: "http",
      });
      assert.equal(bad.agent.status().lastReloadError, "listeners[0].address: 127.0.0.1:8080 is in use");
      bad.refuses = undefined;
      await level(cp, bad, "bad", 2);
      assert.equal(rowOf(cp, "bad").refusal, undefined);
    });

    test("a control plane that stops ends its streams at once and says why; the node serves on and comes back", async () => {
      const first = await fixture.startControlPlane();
      const { address } = first;
      first.publish(snapshotOf(1));
      const node = await fixture.startNode(address, { nodeId: "faithful" });
      await level(first, node, "faithful", 1);
      await first.stop();
      await eventually("disconnected", () => !node.agent.status().connected);
      assert.ok(fixture.logged.some((line) => line.includes("the control plane is shutting down")));
      assert.deepEqual([node.agent.status().hasConfig, node.version], [true, 1]);
      assert.equal(rowOf(first, "faithful").status, "offline");
      const second = await fixture.startControlPlane({ address });
      second.publish(snapshotOf(2));
      await level(second, node, "faithful", 2);
    });

    test("a control plane that knows only an older version of the epoch does not take the node back", async () => {
      const first = await fixture.startControlPlane();
      first.publish(snapshotOf(5));
      const node = await fixture.startNode(first.address, { nodeId: "fenced" });
      await level(first, node, "fenced", 5);
      const { address } = first;
      await first.stop();
      const stale = await fixture.startControlPlane({ address });
      stale.publish(snapshotOf(4));
      await eventually(
        "connected",
        () => node.agent.status().connected && rowOf(stale, "fenced").nodeStatus !== undefined,
      );
      assert.deepEqual([node.version, rowOf(stale, "fenced").inSync], [5, false]);
      stale.publish(snapshotOf(6));
      await level(stale, node, "fenced", 6);
      assert.deepEqual(
        node.applied.map((incoming) => incoming.kind === "snapshot" && incoming.snapshot.version),
        [5, 6],
      );
    });

    test("several control planes are tried in turn", async () => {
      const cp = await fixture.startControlPlane();
      cp.publish(snapshotOf(1));
      const node = await fixture.startNode(cp.address, { nodeId: "roaming", addresses: ["127.0.0.1:1", cp.address] });
      await level(cp, node, "roaming", 1);
      assert.equal(node.agent.status().cpAddress, cp.address);
    });

    test("new certificate files are used for new handshakes without a restart, and bad ones change nothing", async () => {
      const own = await SyncFixture.create(sync);
      await using _ = own;
      const cp = await own.startControlPlane();
      const before = await own.startNode(cp.address, { nodeId: "before" });
      await eventually("connected", () => before.agent.status().connected);

      const bad = await own.authority.issue("bad", { commonName: "cp" });
      copyFileSync(bad.certFile, own.controlPlaneFiles.certFile);
      await eventually("the mismatch of certificate and key is logged", () =>
        own.logged.some((line) => line.includes("cannot be used; the ones before stay in use")),
      );
      const during = await own.startNode(cp.address, { nodeId: "during" });
      await eventually("connected", () => during.agent.status().connected);

      const names = [{ type: "dns", value: "renewed.example" }] as const;
      const renewed = await own.authority.issue("renewed", { commonName: "cp", names });
      copyFileSync(renewed.keyFile, own.controlPlaneFiles.keyFile);
      copyFileSync(renewed.certFile, own.controlPlaneFiles.certFile);
      await eventually("the change is logged", () =>
        own.logged.some((line) => line.includes("used for new connections")),
      );
      const later = await own.startNode(cp.address, { nodeId: "later", serverName: "renewed.example" });
      await eventually("connected", () => later.agent.status().connected);
      assert.equal(before.agent.status().connected, true);
    });

    test("200 nodes that connect at once are all admitted, eight being sent to at a time", async () => {
      const cp = await fixture.startControlPlane({ maxConcurrentSends: 8 });
      cp.publish(snapshotOf(1, 200));
      const files = await fixture.authority.issue("crowd", { commonName: "crowd" });
      const ids = Array.from({ length: 200 }, (_, index) => `crowd-${String(index).padStart(3, "0")}`);
      const nodes = await Promise.all(ids.map((nodeId) => fixture.startNode(cp.address, { nodeId, files })));
      await eventually("all level", () => cp.fleet.nodes().filter(({ inSync }) => inSync).length === 200, 60_000);
      assert.deepEqual(
        cp.fleet.nodes().map(({ nodeId }) => nodeId),
        ids,
      );
      cp.publish(snapshotOf(2, 200));
      const report = await cp.fleet.waitApplied(2, { timeoutMs: 30_000 });
      assert.deepEqual([report.complete, report.applied.length], [true, 200]);
      await Promise.all(nodes.map(({ agent }) => agent.stop(AbortSignal.timeout(5_000))));
    });

    test("what changed is sent where the node takes changes", async () => {
      const cp = await fixture.startControlPlane();
      cp.publish(snapshotOf(1));
      const node = await fixture.startNode(cp.address, { nodeId: "changing" });
      await level(cp, node, "changing", 1);
      for (const version of [2, 3]) {
        cp.publish(snapshotOf(version));
        await level(cp, node, "changing", version);
      }
      const isChange = node.applied.map((incoming) => incoming.kind === "snapshot" && incoming.delta !== undefined);
      assert.deepEqual(isChange, [false, sync === "delta", sync === "delta"]);
    });
  });

/** About 3 MiB that do not compress, so that there are several chunks. */
function incompressible(version: number): Snapshot {
  const { epoch } = snapshotOf(version);
  const resources = Array.from({ length: 3 }, (_, index) => ({
    kind: "route" as const,
    id: `route-${index}`,
    spec: { path: `/${version}/${randomBytes(1 << 20).toString("base64")}` },
  }));
  return createSnapshot({ epoch, version, resources });
}
