import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";

/** The examples of the page on cluster mode, run as written except for paths and ports. */
describe("the page on cluster mode", () => {
  let origin: Origin;
  let cluster: Cluster;
  let member: Member;

  before(async () => {
    origin = await startOrigin();
    cluster = await Cluster.start(
      `listeners:
  - id: http
    address: "127.0.0.1:0"
    protocol: http
routes:
  - id: api
    path: /api
    path_prefix: true
    backends:
      - url: ${origin.url}
`,
      2,
    );
    await cluster.inSync();
    member = cluster.dataPlanes[0]!;
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  it("has a control plane that serves traffic when listeners are configured, and data planes that serve its routes", async () => {
    for (const node of [cluster.controlPlane, ...cluster.dataPlanes]) {
      assert.equal((await node.get("/api/users")).status, 200, node.name);
      assert.equal((await node.get("/apix")).status, 404, node.name);
    }
  });

  it("GET /cluster/nodes lists the connected nodes with their state, ordered by node_id", async () => {
    const rows = await cluster.nodes();
    assert.deepEqual(
      rows.map(({ node_id }) => node_id),
      ["dp-1", "dp-2"],
    );
    for (const row of rows) {
      assert.equal(row.status, "connected");
      assert.equal(row.config_version, 1);
      assert.equal(row.version, row.node_status.runway_version);
      assert.equal(typeof row.hostname, "string");
      assert.match(String(row.last_heartbeat), /^\d{4}-\d\d-\d\dT/);
      assert.match(row.config_hash_hex, /^[0-9a-f]{16}$/);
    }
    await eventually("a heartbeat has told the node's own numbers", async () => {
      const status = (await cluster.node("dp-1"))?.node_status;
      return status?.last_successful_version === 1 && status.last_reload_error === "" && status.routes === 1;
    });
  });

  it("prints hashes as bare integers and as 16 hexadecimal digits", async () => {
    const text = await (await cluster.controlPlane.admin("/api/v1/config/hash")).text();
    const decimal = /"hash":\s*(\d+)[,}]/.exec(text)![1]!;
    const hex = /"hash_hex":\s*"([0-9a-f]{16})"/.exec(text)![1]!;
    assert.equal(BigInt(decimal), BigInt(`0x${hex}`));
    const nodes = await (await cluster.controlPlane.admin("/cluster/nodes")).text();
    assert.ok(nodes.includes(`"config_hash":${decimal}`) || nodes.includes(`"config_hash": ${decimal}`));
  });

  it("GET /api/v1/config/hash says version, hash, timestamp and the source init, then admin-api, then file", async () => {
    const read = async () =>
      (await (await cluster.controlPlane.admin("/api/v1/config/hash")).json()) as Record<string, unknown>;
    const first = await read();
    assert.equal(first.version, 1);
    assert.equal(first.source, "init");
    assert.ok(!Number.isNaN(Date.parse(String(first.timestamp))));
    const current = await (await cluster.controlPlane.admin("/api/v1/config")).text();
    assert.equal((await cluster.push(`${current}shutdown: { timeout: 29s }\n`)).status, 200);
    assert.equal((await read()).source, "admin-api");
    await cluster.inSync();
  });

  it("GET /api/v1/config answers YAML without the cluster block", async () => {
    const answer = await cluster.controlPlane.admin("/api/v1/config");
    assert.match(answer.headers.get("content-type")!, /^application\/yaml/);
    const text = await answer.text();
    assert.match(text, /id: api/);
    assert.doesNotMatch(text, /cluster:|cert_file|admin:/);
  });

  it("GET /cluster/status on a data plane has the fields of the page", async () => {
    const status = await member.status();
    const { role, cp_address, connected, config_version, node_id, has_config } = status;
    assert.deepEqual(
      { role, cp_address, connected, config_version, node_id, has_config },
      {
        role: "data_plane",
        cp_address: `127.0.0.1:${cluster.clusterPort}`,
        connected: true,
        config_version: await cluster.version(),
        node_id: "dp-1",
        has_config: true,
      },
    );
    assert.match(await (await member.admin("/cluster/status")).text(), /"config_hash":\s*\d+[,}]/);
  });

  it("POST /reload on a data plane answers 403 with the sentence of the page, and SIGHUP is ignored with a log line", async () => {
    const answer = await member.admin("/reload", { method: "POST" });
    assert.equal(answer.status, 403);
    assert.equal((await answer.text()).trim(), "config changes must go through control plane");
    member.process.signal("SIGHUP");
    await member.process.logged("SIGHUP is ignored: configuration changes must go through the control plane");
    assert.equal((await member.get("/api/x")).status, 200);
  });

  it("has the endpoints of a role only on that role", async () => {
    for (const path of ["/cluster/nodes", "/api/v1/config", "/api/v1/config/hash"]) {
      assert.equal((await member.admin(path)).status, 404, path);
    }
    assert.equal((await cluster.controlPlane.admin("/cluster/status")).status, 404);
  });

  it("has every other admin endpoint on every role", async () => {
    const paths = ["/health", "/ready", "/stats", "/routes", "/backends", "/upstreams", "/listeners", "/certificates"];
    for (const node of [cluster.controlPlane, member]) {
      for (const path of [...paths, "/reload/status", "/drain", "/metrics"]) {
        assert.equal((await node.admin(path)).status, 200, `${node.name} ${path}`);
      }
      assert.equal((await node.admin("/stats", { method: "DELETE" })).status, 405, node.name);
    }
  });
});
