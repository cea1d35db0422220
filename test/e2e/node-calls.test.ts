import assert from "node:assert/strict";
import { connect } from "node:net";
import { after, before, describe, it } from "node:test";
import { runCli } from "../../src/app/cli.ts";
import { Cluster, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";

describe("a data plane that is asked through its control plane", () => {
  let origin: Origin;
  let cluster: Cluster;
  let node: Member;

  before(async () => {
    origin = await startOrigin();
    const routes = `routes:\n  - id: api\n    path: /api\n    path_prefix: true\n    backends: [{ url: "${origin.url}" }]\n`;
    cluster = await Cluster.start(routes, 1);
    node = cluster.dataPlanes[0]!;
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  const ask = async (method: string, path: string) => {
    const answer = await cluster.controlPlane.admin(`/api/v1/data-planes/dp-1/${path}`, { method });
    return { status: answer.status, json: (await answer.json()) as Record<string, unknown> };
  };

  it("says who it is, what it runs, how much it serves and which route answers a request", async () => {
    assert.equal((await ask("GET", "about")).json.node_id, "dp-1");
    const { json } = await ask("GET", "configuration");
    const row = await cluster.node("dp-1");
    assert.deepEqual([json.version, json.hash_hex], [1, row!.config_hash_hex]);
    assert.deepEqual(json.resources, { listener: 1, route: 1 });
    await node.get("/api");
    await eventually(
      "the request is counted",
      async () => Number((await ask("GET", "counters")).json.requests_total) > 0,
    );
    assert.equal((await ask("GET", "explain?url=/api/x")).json.route, "api");
    assert.equal((await ask("GET", "explain?url=/other")).json.route, null);
  });

  it("drains: it is not ready, ends connections politely, then takes none; and is back when that is over", async () => {
    const url = new URL(await node.url("/api"));
    const isOpen = () =>
      new Promise<boolean>((resolve) => {
        const socket = connect(Number(url.port), url.hostname, () => {
          socket.destroy();
          resolve(true);
        });
        socket.on("error", () => resolve(false));
      });
    assert.equal((await ask("POST", "drain")).json.accepts_connections, true);
    assert.equal((await node.admin("/ready")).status, 503);
    assert.equal((await fetch(url)).headers.get("connection"), "close");
    assert.equal(await isOpen(), true);

    await ask("POST", "drain?delay=0s");
    await eventually("no connection is taken", async () => !(await isOpen()));
    assert.equal((await ask("POST", "drain")).json.accepts_connections, false);
    assert.equal((await cluster.node("dp-1"))?.status, "connected");

    assert.deepEqual((await ask("DELETE", "drain")).json, { draining: false });
    await eventually("connections are taken again", isOpen);
    assert.equal((await node.get("/api")).status, 200);
    assert.equal((await node.admin("/ready")).status, 200);
  });

  it("writes debug lines for a while, whatever a change of the configuration says meanwhile", async () => {
    assert.equal((await ask("PUT", "log-level?level=debug&for=1h")).json.level, "debug");
    await cluster.push(`logging: { level: error }\nroutes: []\n`, "?wait=applied");
    const { json } = await ask("GET", "log-level");
    assert.deepEqual([json.level, json.configured], ["debug", "error"]);
    assert.equal((await ask("DELETE", "log-level")).json.level, "error");
    await cluster.push(
      `routes:\n  - id: api\n    path: /api\n    backends: [{ url: "${origin.url}" }]\n`,
      "?wait=applied",
    );
  });

  it("has everything sent and applied anew, and is level again", async () => {
    const count = async () => {
      const text = await (await node.admin("/metrics")).text();
      return Number(/runway_sync_configurations_total\{form="snapshot"\} (\d+)/.exec(text)?.[1] ?? 0);
    };
    const before = await count();
    assert.equal((await ask("POST", "resync")).json.status, "resyncing");
    await eventually("a snapshot came", async () => (await count()) === before + 1);
    await cluster.inSync();
    assert.equal((await ask("GET", "configuration")).json.hash_hex, (await cluster.node("dp-1"))?.config_hash_hex);
  });

  it("does what the command line says, node by node, and the exit code tells of one that did not", async () => {
    const [written, complained]: [string[], string[]] = [[], []];
    const terminal = {
      write: (text: string) => void written.push(text),
      complain: (text: string) => void complained.push(text),
      env: { RUNWAY_ADMIN_URL: await cluster.controlPlane.adminUrl() },
      isInteractive: false,
      columns: undefined,
      style: (_: unknown, text: string) => text,
      readInput: async () => "",
    };
    assert.equal(await runCli(["nodes", "drain", "dp-9", "dp-1", "--delay", "1h"], terminal), 1);
    assert.match(complained.join(""), /dp-9: .*No node "dp-9" is known/);
    assert.match(written.join(""), /NODE +dp-1\ndraining +true/);
    assert.equal(await runCli(["nodes", "undrain", "dp-1"], terminal), 0);
    assert.equal(await runCli(["nodes", "log-level", "dp-1", "--set", "warn"], terminal), 0);
    assert.match(written.join(""), /level +warn/);
  });

  it("is not asked by who may only look", async () => {
    const admin = await cluster.controlPlane.adminUrl();
    const made = await fetch(`${admin}/api/v1/tokens`, {
      method: "POST",
      body: JSON.stringify({ name: "looker", role: "viewer" }),
    });
    const { token } = (await made.json()) as { token: string };
    const authorization = { authorization: `Bearer ${token}` };
    const path = `${admin}/api/v1/data-planes/dp-1`;
    assert.equal((await fetch(`${path}/counters`, { headers: authorization })).status, 200);
    assert.equal((await fetch(`${path}/drain`, { method: "POST", headers: authorization })).status, 403);
  });
});
