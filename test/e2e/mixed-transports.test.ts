import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { ForwardProxy } from "../support/forward-proxy.ts";
import { type Origin, startOrigin } from "../support/origin.ts";

const CREDENTIALS = "runway:p@ss word";
/** By node id, which says how it reaches the control plane. */
const NODES = ["dp-grpc", "dp-grpc-tunnel", "dp-websocket", "dp-websocket-tunnel"];

describe("a fleet of processes, over gRPC and WebSocket, directly and through a proxy with credentials", () => {
  let origin: Origin;
  let proxy: ForwardProxy;
  let cluster: Cluster;
  const route = (id: string) => `  - { id: ${id}, path: /${id}, backends: [{ url: ${origin.url} }] }\n`;

  before(async () => {
    origin = await startOrigin();
    proxy = await ForwardProxy.start(CREDENTIALS);
    cluster = await Cluster.start(`routes:\n${route("base")}`);
    for (const nodeId of NODES) {
      const [, transport, tunnel] = nodeId.split("-");
      const through = tunnel === undefined ? "" : `\n    proxy: ${proxy.url("runway:p%40ss%20word")}`;
      await cluster.addDataPlane(nodeId, { settings: `transport: ${transport}${through}` });
    }
    await cluster.inSync();
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  async function showTheSame(): Promise<void> {
    await cluster.inSync();
    const rows = await cluster.nodes();
    const transports = rows.map(({ node_id, transport }) => [node_id, transport]);
    assert.deepEqual(
      transports,
      NODES.map((nodeId) => [nodeId, nodeId.split("-")[1]]),
    );
    assert.equal(
      new Set(rows.map(({ config_version, config_hash_hex }) => `${config_version} ${config_hash_hex}`)).size,
      1,
    );
    const own = await Promise.all(cluster.dataPlanes.map((member) => member.status()));
    assert.equal(new Set(own.map(({ config_hash_hex }) => config_hash_hex)).size, 1);
  }

  const answers = (path: string) =>
    Promise.all(cluster.dataPlanes.map(async (member) => (await member.get(path)).status));

  it("runs one version with one hash, and answers alike", async () => {
    await showTheSame();
    assert.deepEqual(await answers("/base"), [200, 200, 200, 200]);
    assert.equal(proxy.tunnels, 2);
  });

  it("has applied a change when the push that waits for it is answered", async () => {
    const answer = await cluster.push(`routes:\n${route("base")}${route("more")}`, "?wait=applied&timeout=10s");
    assert.equal(answer.status, 200);
    assert.deepEqual(await answers("/more"), [200, 200, 200, 200]);
    await showTheSame();
  });

  it("answers the same calls: what it runs, and which route answers a request", async () => {
    const [{ config_hash_hex: hash } = { config_hash_hex: "" }] = await cluster.nodes();
    for (const nodeId of NODES) {
      const ask = async (path: string) => {
        const answer = await cluster.controlPlane.admin(`/api/v1/data-planes/${nodeId}/${path}`);
        return (await answer.json()) as Record<string, unknown>;
      };
      assert.equal((await ask("about")).node_id, nodeId);
      assert.equal((await ask("configuration")).hash_hex, hash);
      assert.equal((await ask("explain?url=/more")).route, "more");
    }
  });

  it("finds its control plane again, each over its own way", async () => {
    const before = proxy.tunnels;
    await cluster.controlPlane.process.end("SIGKILL");
    assert.deepEqual(await answers("/base"), [200, 200, 200, 200]);
    await cluster.startControlPlane();
    await eventually("the tunnels are new", () => proxy.tunnels >= before + 2);
    await showTheSame();
  });
});
