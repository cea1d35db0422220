import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { Language } from "../../src/config/language.ts";
import { createSnapshot } from "../../src/config/snapshot.ts";
import { silentLogger } from "../../src/core/ports.ts";
import { PrometheusMeter } from "../../src/telemetry/prometheus-meter.ts";
import { eventually } from "../support/eventually.ts";
import { SyncFixture, snapshotOf } from "../support/sync-fixture.ts";

describe("a node that stays behind", () => {
  it("is an alarm in the fleet, the metrics and the log, with the reason, until it goes on", async () => {
    await using fixture = await SyncFixture.create();
    const meter = new PrometheusMeter(silentLogger);
    const cp = await fixture.startControlPlane({ meter, behindLimitMs: 50 });
    const late = async () => Number(/^runway_fleet_nodes_late (\d+)$/m.exec(await meter.expose())?.[1]);
    const row = () => cp.fleet.nodes()[0];
    const said = (what: string) => fixture.logged.filter((line) => line.startsWith(what));

    const node = await fixture.startNode(cp.address, { nodeId: "stuck" });
    cp.publish(snapshotOf(1));
    await eventually("it is level", () => row()?.inSync);
    assert.deepEqual([row()?.isLate, row()?.behindSinceMs, await late()], [false, undefined, 0]);

    node.refuses = "another program listens there";
    cp.publish(snapshotOf(2));
    await eventually("it is late", () => row()?.isLate);
    assert.equal(await late(), 1);
    assert.ok(row()!.behindSinceMs! <= Date.now());
    const line = said("A node stays behind")[0]!;
    assert.match(line, /"nodeId":"stuck".*"runs":1,"newest":2,"reason":"another program listens there"/);

    node.refuses = undefined;
    await eventually("it is level by itself", () => row()?.inSync && node.version === 2);
    assert.deepEqual([row()?.isLate, row()?.behindSinceMs, await late()], [false, undefined, 0]);
    assert.equal(said("A node stays behind").length, 1);
    await eventually("that is told too", () => said("A node that had stayed behind goes on").length === 1);
  });

  it("for it is not given what there is, is one too", async () => {
    await using fixture = await SyncFixture.create();
    const language = new Language([{ name: "guard", config: z.strictObject({}) }]);
    const cp = await fixture.startControlPlane({ behindLimitMs: 50, language });
    await fixture.startNode(cp.address, { nodeId: "poor", plugins: { other: "" } });
    const resources = [{ kind: "settings", id: "guard", spec: {} }];
    cp.publish(createSnapshot({ epoch: "e", version: 1, resources }));
    await eventually("it is late", () => cp.fleet.nodes()[0]?.isLate);
    const line = fixture.logged.find((text) => text.startsWith("A node stays behind"));
    assert.match(line!, /the node does not have the plugin guard/);
  });
});
