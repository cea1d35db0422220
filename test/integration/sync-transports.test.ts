import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { text as readText } from "node:stream/consumers";
import { after, before, describe, test } from "node:test";
import { connect as connectTls } from "node:tls";
import type { Json, JsonObject } from "../../src/config/json.ts";
import { systemClock } from "../../src/core/clock.ts";
import { RunwayError } from "../../src/core/failure.ts";
import { TRANSPORTS } from "../../src/sync/connection.ts";
import { createConnector } from "../../src/sync/create-connector.ts";
import type { RpcMethod } from "../../src/sync/rpc/rpc-peer.ts";
import { eventually } from "../support/eventually.ts";
import { ForwardProxy } from "../support/forward-proxy.ts";
import { type ControlPlane, SyncFixture, snapshotOf, type TestNode } from "../support/sync-fixture.ts";

const CREDENTIALS = "runway:pass word";
const USER_INFO = "runway:pass%20word";
const CALL = { timeoutMs: 5_000 };
const METHODS: Record<string, RpcMethod> = {
  "runway.test.v1.echo": (params) => params,
  "runway.test.v1.refuse": () => {
    throw new RunwayError("forbidden", "not today");
  },
};

let fixture: SyncFixture;
let proxy: ForwardProxy;
before(async () => {
  fixture = await SyncFixture.create();
  proxy = await ForwardProxy.start(CREDENTIALS);
});
after(async () => {
  await fixture[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
});

function rowOf(cp: ControlPlane, nodeId: string) {
  return cp.fleet.nodes().find((node) => node.nodeId === nodeId);
}

async function level(cp: ControlPlane, nodes: Record<string, TestNode>, version: number): Promise<void> {
  for (const [nodeId, node] of Object.entries(nodes))
    await eventually(
      `${nodeId} runs version ${version}`,
      () => node.version === version && rowOf(cp, nodeId)?.inSync === true,
    );
}

function call(cp: ControlPlane, nodeId: string, params: JsonObject, method = "runway.test.v1.echo"): Promise<Json> {
  return cp.fleet.call(nodeId, method, params, CALL);
}

test("gRPC and WebSocket nodes of one fleet, some through a proxy, get the same versions and answer the same calls", async () => {
  const cp = await fixture.startControlPlane({ methods: METHODS });
  cp.publish(snapshotOf(1, 50));
  const nodes: Record<string, TestNode> = {};
  for (const transport of TRANSPORTS)
    for (const way of ["direct", "tunnel"] as const) {
      const through = way === "tunnel" ? { proxy: proxy.url(USER_INFO) } : {};
      const nodeId = `${transport}-${way}`;
      nodes[nodeId] = await fixture.startNode(cp.address, { nodeId, transport, methods: METHODS, ...through });
    }
  await level(cp, nodes, 1);
  cp.publish(snapshotOf(2, 60));
  await level(cp, nodes, 2);
  for (const [nodeId, node] of Object.entries(nodes)) {
    const row = rowOf(cp, nodeId);
    assert.equal(row?.transport, nodeId.split("-")[0]);
    assert.equal(row?.configHash, snapshotOf(2, 60).hash);
    assert.deepEqual(await call(cp, nodeId, { nodeId }), { nodeId });
    assert.deepEqual(await node.agent.call("runway.test.v1.echo", { from: nodeId }, CALL), { from: nodeId });
    const refused = { error: { code: -32_000, message: "not today", data: { code: "RW_FORBIDDEN" } } };
    await assert.rejects(call(cp, nodeId, {}, "runway.test.v1.refuse"), refused);
    await assert.rejects(call(cp, nodeId, {}, "runway.other.v1.x"), {
      message: /the peer does not answer runway\.other\.v1\.x/,
    });
  }
  assert.equal(proxy.tunnels, 2);
});

describe("a node that cannot get through", () => {
  for (const transport of TRANSPORTS) {
    test(`says over ${transport} that the proxy wants other credentials`, async () => {
      const cp = await fixture.startControlPlane();
      const node = await fixture.startNode(cp.address, {
        nodeId: `${transport}-stranger`,
        transport,
        proxy: proxy.url("runway:wrong"),
      });
      await eventually("the reason is told", () => node.agent.status().lastError.includes("407"));
      assert.equal(node.agent.status().connected, false);
    });

    test(`is told over ${transport} in full why it is refused`, async () => {
      const cp = await fixture.startControlPlane();
      const node = await fixture.startNode(cp.address, { nodeId: `${transport}-new`, transport, version: "1.5.0" });
      const reason = "version mismatch: CP=1.4.0 DP=1.5.0 (major.minor must match)";
      await eventually("the reason is told", () => node.agent.status().lastError === reason);
      assert.equal(rowOf(cp, `${transport}-new`)?.status, "rejected");
    });

    test(`keeps no socket over ${transport} of an attempt that it has given up`, async () => {
      const sockets = new Set<Socket>();
      const silent = createServer((socket) => {
        sockets.add(socket);
        socket.on("error", () => {}).on("close", () => sockets.delete(socket));
        socket.resume();
      });
      await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
      const address = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
      const { certFile, keyFile } = await fixture.authority.issue("patient", { commonName: "patient" });
      for (const proxy of [undefined, new URL(`http://${address}`)]) {
        const tls = { certFile, keyFile, caFile: fixture.authority.caFile, proxy };
        const connector = createConnector({ transport, tls, clock: systemClock });
        const connection = connector.connect(address, { opened() {}, received() {}, closed() {} });
        await eventually("the other side has it", () => sockets.size === 1);
        connection.close();
        await eventually("the socket is closed", () => sockets.size === 0);
      }
      silent.close();
    });

    test(`connects anew over ${transport} when the control plane comes back`, async () => {
      const first = await fixture.startControlPlane();
      first.publish(snapshotOf(1));
      const { address } = first;
      const nodeId = `${transport}-loyal`;
      const node = await fixture.startNode(address, { nodeId, transport });
      await level(first, { [nodeId]: node }, 1);
      await first.stop();
      await eventually("the loss is noticed", () => !node.agent.status().connected);
      const second = await fixture.startControlPlane({ address });
      second.publish(snapshotOf(2));
      await level(second, { [nodeId]: node }, 2);
    });
  }
});

/** A middlebox that lets nothing of HTTP/2 pass: it drops connections whose first octets offer it by ALPN. */
async function middleboxBefore(address: string): Promise<Server> {
  const { hostname, port } = new URL(`tcp://${address}`);
  const server = createServer((client) => {
    client.on("error", () => {});
    client.once("data", (hello) => {
      if (hello.includes("\x02h2")) {
        client.destroy();
        return;
      }
      const target = connect(Number(port), hostname, () => target.write(hello));
      target.on("error", () => client.destroy());
      target.pipe(client).pipe(target);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return server;
}

test("a node that may choose takes gRPC where it gets through, and WebSocket where it does not", async () => {
  const cp = await fixture.startControlPlane();
  cp.publish(snapshotOf(1));
  const middlebox = await middleboxBefore(cp.address);
  const behind = `127.0.0.1:${(middlebox.address() as AddressInfo).port}`;
  const chooser = await fixture.startNode(cp.address, { nodeId: "chooser", transport: "auto" });
  const walled = await fixture.startNode(behind, { nodeId: "walled", transport: "auto" });
  await level(cp, { chooser, walled }, 1);
  assert.equal(rowOf(cp, "chooser")?.transport, "grpc");
  assert.equal(rowOf(cp, "walled")?.transport, "websocket");
  middlebox.close();
});

test("whoever asks the port for something else is told what it is for", async () => {
  const cp = await fixture.startControlPlane();
  const { certFile, keyFile } = await fixture.authority.issue("someone", { commonName: "someone" });
  const socket = connectTls({
    host: "127.0.0.1",
    port: Number(new URL(`tcp://${cp.address}`).port),
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    ca: readFileSync(fixture.authority.caFile),
    ALPNProtocols: ["http/1.1"],
  });
  socket.end("GET / HTTP/1.1\r\nHost: control-plane\r\n\r\n");
  assert.match(await readText(socket), /^HTTP\/1\.1 426 .*Open a WebSocket at \/runway\.sync\.v1/s);
});
