import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { toConfiguration } from "../../src/config/compile.ts";
import type { JsonObject } from "../../src/config/json.ts";
import { Language } from "../../src/config/language.ts";
import { createSnapshot, type Snapshot } from "../../src/config/snapshot.ts";
import { PLUGINS } from "../../src/plugins/index.ts";
import type { PluginLanguage } from "../../src/sdk/plugin.ts";
import type { ApplyOutcome, Incoming } from "../../src/sync/node-state.ts";
import { SYNC_PREFIX } from "../../src/sync/sync-methods.ts";
import { eventually } from "../support/eventually.ts";
import { type ControlPlane, SyncFixture, type TestNode } from "../support/sync-fixture.ts";

/*
 * A language as it grew over three minor versions. 1.3 has the plugins `paint` and `badge`, which authenticates. With 1.4 a setting came to
 * each; with 1.5 a setting more to both and the plugin `glitter`. The programs of the nodes are made of what their version had, strictly:
 * a node that is sent what it does not know refuses it.
 */
const colour = z.string();
const PAINT = {
  "1.3": z.strictObject({ colour }),
  "1.4": z.strictObject({ colour, gloss: z.boolean().optional() }),
  "1.5": z.strictObject({
    colour,
    gloss: z.boolean().optional().meta({ since: "1.4" }),
    grain: z.string().optional().meta({ since: "1.5" }),
  }),
};
const BADGE = {
  "1.3": z.strictObject({ issuer: z.string() }),
  "1.4": z.strictObject({ issuer: z.string() }),
  "1.5": z.strictObject({ issuer: z.string(), revoked: z.array(z.string()).optional().meta({ since: "1.5" }) }),
};
type Minor = keyof typeof PAINT;

function languageOf(minor: Minor): Language {
  const paint: PluginLanguage = { name: "paint", dispensable: true, config: PAINT[minor] };
  const badge: PluginLanguage = { name: "badge", authenticates: true, config: BADGE[minor] };
  const glitter: PluginLanguage = { name: "glitter", dispensable: true, config: z.strictObject({ much: z.boolean() }) };
  return new Language([...PLUGINS, paint, badge, ...(minor === "1.5" ? [glitter] : [])]);
}

let version = 0;
function snapshotOf(routes: Readonly<Record<string, JsonObject>>): Snapshot {
  const resources = Object.entries(routes).map(([id, spec]) => ({
    ...{ kind: "route", id },
    spec: { path: `/${id}`, backends: [{ url: "http://127.0.0.1:1" }], ...spec },
  }));
  return createSnapshot({ epoch: "0d9c1f1e-4b8e-4f57-8a5c-6a2b3c4d5e6f", version: ++version, resources });
}

/** Checks what it is given as its program would, and keeps it. */
function sinkOf(minor: Minor) {
  const language = languageOf(minor);
  return {
    running: undefined as Snapshot | undefined,
    forms: [] as string[],
    async apply(incoming: Incoming): Promise<ApplyOutcome> {
      if (incoming.kind !== "snapshot") throw new Error("this is no original control plane");
      const { snapshot, delta } = incoming;
      const checked = toConfiguration(language, snapshot.resources, {
        resolveSecret: () => ({ ok: false, message: "" }),
      });
      if (!checked.ok) return { ok: false, reason: "RW_CONFIGURATION_INVALID", problems: checked.problems };
      this.forms.push(delta === undefined ? "snapshot" : "delta");
      this.running = snapshot;
      return { ok: true, stateHash: snapshot.hash, durationsMs: {} };
    },
    /** The spec of a route without what all of them have. */
    route(id: string): JsonObject | undefined {
      const {
        path: _,
        backends: __,
        ...own
      } = this.running?.resources.find((resource) => resource.id === id)?.spec ?? {};
      return own;
    },
  };
}

async function startFleet(fixture: SyncFixture, minors: readonly Minor[]) {
  const cp = await fixture.startControlPlane({ version: "1.5.2", language: languageOf("1.5"), compatibility: "minor" });
  const nodes = new Map<Minor, { node: TestNode; sink: ReturnType<typeof sinkOf> }>();
  for (const [index, minor] of minors.entries()) {
    const sink = sinkOf(minor);
    const plugins = Object.fromEntries(languageOf(minor).plugins.map(({ name }) => [name, ""]));
    const transport = index % 2 === 0 ? "grpc" : "websocket";
    const node = await fixture.startNode(cp.address, {
      nodeId: `n-${minor}`,
      version: `${minor}.1`,
      plugins,
      sink,
      transport,
    });
    nodes.set(minor, { node, sink });
  }
  return { cp, nodes, of: (minor: Minor) => nodes.get(minor)! };
}

const rowOf = (cp: ControlPlane, minor: Minor) => cp.fleet.nodes().find(({ nodeId }) => nodeId === `n-${minor}`)!;
const leftOutOf = (cp: ControlPlane, minor: Minor) => rowOf(cp, minor).leftOut.map(({ id, path }) => `${id} ${path}`);
/** All three, at the version that was published last. */
function areLevel(cp: ControlPlane): boolean {
  const nodes = cp.fleet.nodes();
  return nodes.length === 3 && nodes.every(({ inSync, configVersion }) => inSync && configVersion === version);
}
const CALL = { timeoutMs: 5_000 };

for (const sync of ["delta", "full"] as const)
  describe(`a fleet of three minor versions, synchronised by ${sync}`, () => {
    it("runs what each of its programs knows, each provably, and shows what that is not", async () => {
      await using fixture = await SyncFixture.create(sync);
      const { cp, of } = await startFleet(fixture, ["1.3", "1.4", "1.5"]);
      const paint = { colour: "red", gloss: true, grain: "fine" };
      cp.publish(snapshotOf({ a: { paint }, b: { glitter: { much: true }, badge: { issuer: "i" } } }));
      await eventually("all are in sync", () => areLevel(cp));
      const shown = (["1.3", "1.4", "1.5"] as const).map((minor) => of(minor).sink.route("a"));
      assert.deepEqual(shown, [{ paint: { colour: "red" } }, { paint: { colour: "red", gloss: true } }, { paint }]);
      assert.deepEqual(of("1.3").sink.route("b"), { badge: { issuer: "i" } });
      assert.deepEqual(leftOutOf(cp, "1.3"), ["a paint.gloss", "a paint.grain", "b glitter"]);
      assert.deepEqual(leftOutOf(cp, "1.4"), ["a paint.grain", "b glitter"]);
      assert.deepEqual(leftOutOf(cp, "1.5"), []);
      assert.equal(new Set(cp.fleet.nodes().map(({ configHash }) => configHash)).size, 3);

      // A change of what the older ones do not know gives them a version and nothing else.
      cp.publish(snapshotOf({ a: { paint: { ...paint, grain: "rough" } }, b: { badge: { issuer: "i" } } }));
      await eventually("all are in sync again", () => areLevel(cp));
      assert.deepEqual(of("1.4").sink.route("a"), { paint: { colour: "red", gloss: true } });
      assert.deepEqual(leftOutOf(cp, "1.4"), ["a paint.grain"]);
      const second = sync === "delta" ? "delta" : "snapshot";
      for (const minor of ["1.3", "1.4", "1.5"] as const)
        assert.deepEqual(of(minor).sink.forms, ["snapshot", second], minor);
      assert.deepEqual(
        cp.fleet.nodes().map(({ refusal }) => refusal),
        [undefined, undefined, undefined],
      );
    });

    it("never goes without a setting of a plugin that authenticates: who does not know it stays at what it has, and says so", async () => {
      await using fixture = await SyncFixture.create(sync);
      const { cp, of } = await startFleet(fixture, ["1.3", "1.4", "1.5"]);
      cp.publish(snapshotOf({ a: { badge: { issuer: "i" } } }));
      await eventually("all are in sync", () => areLevel(cp));
      const before = version;
      cp.publish(snapshotOf({ a: { badge: { issuer: "i", revoked: ["x"] } }, b: {} }));
      const report = await cp.fleet.waitApplied(version, { timeoutMs: 20_000 });
      assert.deepEqual(
        report.applied.map(({ nodeId }) => nodeId),
        ["n-1.5"],
      );
      const detail = `version ${version} cannot be run without badge.revoked of route:a (it came with the plugin badge 1.5, the node has`;
      for (const minor of ["1.3", "1.4"] as const) {
        const { node, sink } = of(minor);
        assert.ok(report.missing.some((missing) => missing.nodeId === `n-${minor}` && missing.why === "refused"));
        const row = rowOf(cp, minor);
        assert.deepEqual([row.inSync, row.configVersion, row.lagVersions], [false, before, 1]);
        assert.equal(row.obstacle, `${detail} ${minor}.1)`);
        assert.deepEqual(sink.route("a"), { badge: { issuer: "i" } });
        assert.equal(sink.running?.version, before);
        const withheld = await eventually("the node knows", () => node.agent.status().withheld);
        assert.deepEqual([withheld.newest.version, withheld.reason], [version, row.obstacle]);
        // Nor does it come by it by asking.
        const stamp = {
          epoch: sink.running!.epoch,
          version: before,
          hash: sink.running!.hash.toString(16).padStart(16, "0"),
        };
        const answer = (await node.agent.call(`${SYNC_PREFIX}.get_delta`, stamp, CALL)) as JsonObject;
        assert.deepEqual([answer.withheld, answer.upserts], [row.obstacle, []]);
      }
      assert.ok(
        fixture.logged.some((line) => line.startsWith("A version of the configuration is not given to this node")),
      );

      cp.publish(snapshotOf({ a: { badge: { issuer: "i" } }, b: {} }));
      await eventually("without it all are level again", () => areLevel(cp));
      assert.equal(of("1.3").node.agent.status().withheld, undefined);
    });

    it("gives a node that comes with nothing nothing, where it must not run what there is", async () => {
      await using fixture = await SyncFixture.create(sync);
      const { cp, of } = await startFleet(fixture, []);
      cp.publish(snapshotOf({ a: { badge: { issuer: "i", revoked: [] } } }));
      const sink = sinkOf("1.3");
      const plugins = Object.fromEntries(languageOf("1.3").plugins.map(({ name }) => [name, ""]));
      const node = await fixture.startNode(cp.address, { nodeId: "n-1.3", version: "1.3.0", plugins, sink });
      await eventually("it knows", () => node.agent.status().withheld);
      assert.deepEqual([sink.running, node.version, of("1.3")], [undefined, 0, undefined]);
    });
  });

describe("a node of another minor version", () => {
  it("is not let in unless the control plane says so, nor ever where it is newer", async () => {
    await using fixture = await SyncFixture.create();
    const strict = await fixture.startControlPlane({ version: "1.5.2", language: languageOf("1.5") });
    const lenient = await fixture.startControlPlane({
      version: "1.5.2",
      language: languageOf("1.5"),
      compatibility: "minor",
    });
    await fixture.startNode(strict.address, { nodeId: "older", version: "1.4.0" });
    await fixture.startNode(lenient.address, { nodeId: "newer", version: "1.6.0" });
    const rejectionAt = (cp: ControlPlane) =>
      eventually("it is rejected", () => cp.fleet.nodes()[0]?.rejection?.detail);
    assert.equal(await rejectionAt(strict), "version mismatch: CP=1.5.2 DP=1.4.0 (major.minor must match)");
    assert.equal(await rejectionAt(lenient), "version mismatch: CP=1.5.2 DP=1.6.0 (a data plane must not be newer)");
  });

  it("is told of a plugin that it lacks, and given nothing, where versions have to match", async () => {
    await using fixture = await SyncFixture.create();
    const cp = await fixture.startControlPlane({ version: "1.5.2", language: languageOf("1.5") });
    cp.publish(snapshotOf({ a: { glitter: { much: true } } }));
    const plugins = { paint: "", badge: "" };
    await fixture.startNode(cp.address, { nodeId: "poor", version: "1.5.0", plugins });
    const row = await eventually("it is known", () => cp.fleet.nodes().find(({ obstacle }) => obstacle !== ""));
    assert.match(row.obstacle, /glitter of route:a \(the node does not have the plugin glitter\)/);
    assert.equal(row.leftOut[0]?.plugin, "glitter");
  });
});

describe("the changes since a version", () => {
  for (const transport of ["grpc", "websocket"] as const)
    it(`can be asked for, over ${transport}`, async () => {
      await using fixture = await SyncFixture.create();
      const cp = await fixture.startControlPlane();
      const node = await fixture.startNode(cp.address, { transport });
      const first = snapshotOf({ a: {}, b: {} });
      cp.publish(first);
      await eventually("the first runs", () => node.version === first.version);
      cp.publish(snapshotOf({ a: { path_prefix: true } }));
      await eventually("the second runs", () => node.version === version);
      const ask = async (params: JsonObject) =>
        (await node.agent.call(`${SYNC_PREFIX}.get_delta`, params, CALL)) as Record<string, unknown>;
      const hash = first.hash.toString(16).padStart(16, "0");
      const {
        version: newest,
        whole,
        upserts,
        removals,
      } = await ask({ epoch: first.epoch, version: first.version, hash });
      assert.deepEqual([newest, whole, removals], [version, false, [{ kind: "route", id: "b" }]]);
      assert.deepEqual(
        (upserts as { id: string }[]).map(({ id }) => id),
        ["a"],
      );
      assert.equal((await ask({ epoch: "other", version: 1, hash })).whole, true);
      await assert.rejects(ask({ epoch: 7, version: -1 }), /Invalid params.*epoch.*version.*hash/);
      await assert.rejects(node.agent.call(`${SYNC_PREFIX}.other`, {}, CALL), /Method not found/);
    });
});
