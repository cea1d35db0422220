import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Cluster, type ClusterOptions, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { freePort } from "../support/free-port.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { PostgresServer, postgresMissing } from "../support/postgres-server.ts";

const SDK = new URL("../../src/sdk/index.ts", import.meta.url).href;
const ZOD = import.meta.resolve("zod");

/** Two plugins of one module: one that a route may do without, and one that lets nobody in. */
const MODULE = `
import { z } from ${JSON.stringify(ZOD)};
import { definePlugin, refuse } from ${JSON.stringify(SDK)};
export const stamp = definePlugin({
  name: "stamp",
  version: "2.1.0",
  dispensable: true,
  config: z.strictObject({ text: z.string(), ink: z.string().optional().meta({ since: "2.1" }) }),
  create: ({ text, ink = "" }) => ({ onResponse: (_, response) => response.headers.set("x-stamp", text + ink) }),
});
export const wall = definePlugin({
  name: "wall",
  config: z.strictObject({ high: z.boolean() }),
  create: () => ({ onRequest: () => refuse("accessDenied") }),
});
export default [stamp, wall];
`;
/** The same as it was in its version before, which refuses what it does not know. */
const OLDER_MODULE = MODULE.replace("2.1.0", "2.0.3").replace(/, ink: z.string.*?\}\)/, "");

describe("a data plane without a plugin that its control plane has", () => {
  let directory: string;
  let origin: Origin;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "runway-plugins-"));
    writeFileSync(join(directory, "plugins.ts"), MODULE);
    writeFileSync(join(directory, "older.ts"), OLDER_MODULE);
    origin = await startOrigin();
  });
  after(async () => {
    await origin[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const routes = (...blocks: string[]) =>
    `routes:\n${blocks
      .map(
        (block, index) => `  - id: r${index}\n    path: /${index}\n    backends: [{ url: "${origin.url}" }]\n${block}`,
      )
      .join("")}`;
  const start = (compatibility: "patch" | "minor", document: string, more: ClusterOptions = {}) =>
    Cluster.start(`extensions: [${JSON.stringify(join(directory, "plugins.ts"))}]\n${document}`, 0, {
      compatibility,
      ...more,
    });

  it("serves without what is dispensable, where that was asked for, and the control plane says what that is", async () => {
    await using cluster = await start("minor", routes("    stamp: { text: hello }\n", ""));
    const node = await cluster.addDataPlane("dp-1");
    await cluster.inSync();
    const answer = await node.get("/0");
    assert.deepEqual([answer.status, answer.headers.get("x-stamp")], [200, null]);
    const row = (await cluster.node("dp-1"))!;
    assert.deepEqual(row.missing_plugins, ["stamp"]);
    assert.deepEqual(row.left_out, [
      { kind: "route", id: "r0", path: "stamp", reason: "the node does not have the plugin stamp", guards: false },
    ]);
    assert.equal(row.obstacle, null);
    assert.equal((row.plugins as Record<string, string>).jwt, row.version);
  });

  it("or with an older version of it, serves without what came later", async () => {
    await using cluster = await start("minor", routes("    stamp: { text: hello, ink: -blue }\n"));
    const extensions = `extensions: [${JSON.stringify(join(directory, "older.ts"))}]\n`;
    const port = await freePort();
    const listeners = `${extensions}listeners: [{ id: http, address: "127.0.0.1:${port}" }]\n`;
    const node = await cluster.addDataPlane("dp-1", { listeners });
    await cluster.inSync();
    assert.equal((await node.get("/0")).headers.get("x-stamp"), "hello");
    const row = (await cluster.node("dp-1"))!;
    const reason = "it came with the plugin stamp 2.1, the node has 2.0.3";
    assert.deepEqual(row.left_out, [{ kind: "route", id: "r0", path: "stamp.ink", reason, guards: false }]);
    assert.deepEqual([row.missing_plugins, (row.plugins as Record<string, string>).stamp], [[], "2.0.3"]);
  });

  it("is not given a change that needs what guards, serves on, and both sides say why", async () => {
    await using cluster = await start("minor", routes(""));
    const node = await cluster.addDataPlane("dp-1");
    await cluster.inSync();
    const pushed = await cluster.push(routes("    wall: { high: true }\n", ""), "?wait=applied&timeout=10s");
    assert.equal(pushed.status, 202);
    const { Fleet } = (await pushed.json()) as { Fleet: { Missing: readonly { Why: string; Detail: string }[] } };
    assert.equal(Fleet.Missing[0]?.Why, "refused");
    const reason = "version 2 cannot be run without wall of route:r0 (the node does not have the plugin wall)";
    const row = (await cluster.node("dp-1"))!;
    assert.deepEqual([row.obstacle, row.in_sync, row.config_version], [reason, false, 1]);
    assert.equal(Fleet.Missing[0]?.Detail, reason);
    const { withheld } = await eventually("the node knows", async () => {
      const status = await node.status();
      return status.withheld === null ? undefined : (status as { withheld: { version: number; reason: string } });
    });
    assert.deepEqual([withheld.version, withheld.reason], [2, reason]);
    assert.equal((await node.get("/0")).status, 200, "as before the change");
    assert.equal((await node.get("/1")).status, 404, "nothing of the change");

    await cluster.push(routes("    wall: { enabled: false }\n", ""));
    await cluster.inSync();
    assert.equal((await node.get("/1")).status, 200);
    assert.equal((await node.status()).withheld, null);
  });

  it("is waited for by another control plane only until it is known that it is not given the version", {
    skip: postgresMissing() ?? false,
  }, async () => {
    await using server = await PostgresServer.start();
    const shared = { controlPlanes: 2, store: await server.newDatabase() };
    await using cluster = await start("minor", routes(""), shared);
    const [one, two] = cluster.controlPlanes as [Member, Member];
    await cluster.addDataPlane("dp-1", { controlPlanes: [two] });
    await eventually("it is level", async () => (await cluster.nodes(one))[0]?.in_sync);
    const pushed = await cluster.push(routes("    wall: { high: true }\n"), "?wait=applied&timeout=55s", one);
    const { Fleet } = (await pushed.json()) as { Fleet: { Missing: readonly unknown[] } };
    assert.deepEqual(Fleet.Missing, [
      {
        NodeId: "dp-1",
        Why: "refused",
        Detail: "version 2 cannot be run without wall of route:r0 (the node does not have the plugin wall)",
      },
    ]);
  });

  it("is given nothing that it would have to go without where versions have to match", async () => {
    await using cluster = await start("patch", routes("    stamp: { text: hello }\n"));
    const node = await cluster.addDataPlane("dp-1");
    const row = await eventually("it is known", async () => {
      const known = await cluster.node("dp-1");
      return known?.obstacle === null ? undefined : known;
    });
    assert.match(String(row.obstacle), /stamp of route:r0 \(the node does not have the plugin stamp\)/);
    assert.deepEqual([row.missing_plugins, row.config_version], [["stamp"], 0]);
    assert.equal((await node.admin("/ready")).status, 503);
  });
});
