import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { xxhash64 } from "../../src/config/state-hash.ts";
import { eventually } from "../support/eventually.ts";
import { openOriginalStream, startOriginalControlPlane } from "../support/original-peer.ts";
import { SyncFixture, snapshotOf } from "../support/sync-fixture.ts";

let fixture: SyncFixture;
before(async () => {
  fixture = await SyncFixture.create();
});
after(() => fixture[Symbol.asyncDispose]());

const YAML = 'routes:\n  - id: "ä"\n';
const YAML_HASH = xxhash64(Buffer.from(YAML));

test("an original data plane is sent the YAML with its hash, nothing it cannot read, and its heartbeats tell how it stands", async () => {
  const cp = await fixture.startControlPlane();
  cp.publish(snapshotOf(3), YAML);
  const files = await fixture.authority.issue("original", { commonName: "original" });
  const node = openOriginalStream(cp.address, { ...files, caFile: fixture.authority.caFile });
  node.send({ connect: { nodeId: "original", version: "1.4.9", hostname: "old", configHash: 0n } });
  const update = await eventually("an update", () => node.updates[0]);
  assert.deepEqual([update.version, update.yaml, update.hash, update.source], [3n, YAML, YAML_HASH, "admin-api"]);
  assert.ok(update.fieldNumbers.every((number) => number < 16));

  const row = () => cp.fleet.nodes().find(({ nodeId }) => nodeId === "original");
  assert.deepEqual([row()?.status, row()?.peer, row()?.inSync], ["connected", "original", false]);
  node.send({ heartbeat: { nodeId: "original", configVersion: 3n, configHash: YAML_HASH, lastReloadError: "" } });
  await eventually("in sync", () => row()?.inSync);
  assert.deepEqual([row()?.configVersion, row()?.configHash, row()?.nodeStatus?.routes], [3, YAML_HASH, 7]);

  cp.publish(snapshotOf(4), "routes: []\n");
  await eventually("the next one", () => node.updates[1]?.version === 4n);
  await eventually("it is offered again for as long as heartbeats show the old one", () => {
    node.send({ heartbeat: { nodeId: "original", configVersion: 3n, configHash: YAML_HASH, lastReloadError: "no" } });
    return node.updates[2]?.version === 4n;
  });
  assert.equal(row()?.nodeStatus?.lastReloadError, "no");
  node.close();
});

test("an original data plane that has the configuration already is sent nothing", async () => {
  const cp = await fixture.startControlPlane();
  cp.publish(snapshotOf(3), YAML);
  const files = await fixture.authority.issue("level", { commonName: "level" });
  const node = openOriginalStream(cp.address, { ...files, caFile: fixture.authority.caFile });
  node.send({ connect: { nodeId: "level", version: "1.4.9", hostname: "old", configHash: YAML_HASH } });
  await eventually("in sync", () => cp.fleet.nodes().find(({ nodeId }) => nodeId === "level")?.inSync);
  cp.publish(snapshotOf(4), "routes: []\n");
  await eventually("an update", () => node.updates[0]);
  assert.equal(node.updates[0]?.version, 4n);
  node.close();
});

test("our data plane takes the YAML of an original control plane, and sends it nothing but heartbeats it can read", async () => {
  const caFile = fixture.authority.caFile;
  const cp = await startOriginalControlPlane({ ...fixture.controlPlaneFiles, caFile });
  try {
    const node = await fixture.startNode(cp.address, { nodeId: "guest" });
    await eventually("hello", () => cp.received.length === 1);
    cp.push({ version: 9n, yaml: YAML, hash: YAML_HASH, source: "file" });
    await eventually("applied", () => node.version === 9);
    assert.deepEqual(node.applied, [{ kind: "original", yaml: YAML, version: 9, yamlHash: YAML_HASH, source: "file" }]);
    assert.equal(node.agent.status().peer, "original");
    await eventually("a heartbeat with the hash of the YAML", () => cp.received.some(({ hash }) => hash === YAML_HASH));

    cp.push({ version: 2n, yaml: "a: 1\n", hash: 1n, source: "file" });
    await eventually("the refusal is told", () => cp.received.some(({ error }) => /hash/.test(error)));
    assert.equal(node.version, 9);

    const restarted = "routes: []\n";
    cp.push({ version: 1n, yaml: restarted, hash: xxhash64(Buffer.from(restarted)), source: "init" });
    await eventually("a lower version of a control plane that counts anew", () => node.version === 1);
    assert.deepEqual(new Set(cp.received.map(({ field }) => field)), new Set([1, 2]));
  } finally {
    cp.stop();
  }
});
