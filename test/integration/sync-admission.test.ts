import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { connect, type TLSSocket } from "node:tls";
import { systemClock } from "../../src/core/clock.ts";
import type { NodeView } from "../../src/sync/node-view.ts";
import { type CertificateFiles, createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { openOriginalStream } from "../support/original-peer.ts";
import { type ControlPlane, SyncFixture, snapshotOf, type TestNode } from "../support/sync-fixture.ts";

let fixture: SyncFixture;
let cp: ControlPlane;
before(async () => {
  fixture = await SyncFixture.create();
  cp = await fixture.startControlPlane();
  cp.publish(snapshotOf(1));
});
after(() => fixture[Symbol.asyncDispose]());

const DAY_MS = 86_400_000;

function spiffe(nodeId: string): { commonName: string; names: { type: "url"; value: string }[] } {
  return { commonName: nodeId, names: [{ type: "url", value: `spiffe://runway/node/${nodeId}` }] };
}

function row(nodeId: string, status: NodeView["status"]): NodeView | undefined {
  return cp.fleet.nodes().find((node) => node.nodeId === nodeId && node.status === status);
}

async function failsWith(node: TestNode, reason: RegExp): Promise<void> {
  await eventually(`an error like ${reason}`, () => reason.test(node.agent.status().lastError));
  assert.equal(node.agent.status().connected, false);
  assert.equal(node.applied.length, 0);
  await node.agent.stop(AbortSignal.timeout(1_000));
}

test("a node without a client certificate of the CA is refused at the handshake, logged and counted", async () => {
  const foreign = await createAuthority(fixture.directory, "foreign");
  const files = await foreign.issue("foreign", { commonName: "stranger" });
  await failsWith(await fixture.startNode(cp.address, { nodeId: "stranger", files }), /closed|certificate/i);
  const reason = "UNABLE_TO_VERIFY_LEAF_SIGNATURE";
  assert.ok(fixture.counted.get(`runway_fleet_handshake_failures_total ${reason}`)! > 0);
  assert.ok(fixture.logged.some((line) => line.startsWith("A TLS handshake") && line.includes(reason)));
  assert.equal(
    cp.fleet.nodes().some(({ nodeId }) => nodeId === "stranger"),
    false,
  );
});

test("an expired certificate is refused at the handshake", async () => {
  const dates = { notBefore: new Date(Date.now() - 3 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
  const files = await fixture.authority.issue("expired", { commonName: "expired", ...dates });
  await failsWith(await fixture.startNode(cp.address, { nodeId: "expired", files }), /closed|expired/i);
  assert.ok(fixture.counted.get("runway_fleet_handshake_failures_total CERT_HAS_EXPIRED")! > 0);
});

test("a peer that presents no certificate at all is refused at the handshake", async () => {
  const stream = openOriginalStream(cp.address, { caFile: fixture.authority.caFile });
  const error = await stream.ended;
  assert.match(error.details, /certificate required/);
  assert.ok(
    fixture.counted.get("runway_fleet_handshake_failures_total ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE")! > 0,
  );
});

test("a node refuses a control plane of another CA", async () => {
  const foreign = await createAuthority(fixture.directory, "other");
  const node = await fixture.startNode(cp.address, { nodeId: "careful", caFile: foreign.caFile });
  await failsWith(node, /from an authority that is not in the CA file/);
});

test("a node refuses a control plane whose certificate is for another name", async () => {
  const node = await fixture.startNode(cp.address, { nodeId: "careful", serverName: "cp.example.com" });
  await failsWith(node, /does not match certificate's altnames/);
});

test("a certificate with a node name speaks for that node", async () => {
  const files = await fixture.authority.issue("named", spiffe("named"));
  const node = await fixture.startNode(cp.address, { nodeId: "named", files });
  await eventually("applied", () => node.version === 1);
  assert.ok(row("named", "connected")!.certificate!.notAfterMs > Date.now());
});

test("a certificate of node A that claims node B is refused, and shown as rejected beside node B", async () => {
  const b = await fixture.startNode(cp.address, {
    nodeId: "b",
    files: await fixture.authority.issue("b", spiffe("b")),
  });
  await eventually("b connected", () => b.agent.status().connected);
  const files = await fixture.authority.issue("a", spiffe("a"));
  const impostor = await fixture.startNode(cp.address, { nodeId: "b", files });
  await failsWith(impostor, /speaks for spiffe:\/\/runway\/node\/a, not for node b/);
  assert.ok(row("b", "connected"));
  const rejected = row("b", "rejected");
  assert.equal(rejected?.rejection?.code, "RW_IDENTITY_REFUSED");
  assert.equal(rejected?.certificate?.subject, "CN=a");
  assert.ok(fixture.counted.get("runway_fleet_rejections_total RW_IDENTITY_REFUSED")! > 0);
  assert.ok(fixture.logged.some((line) => line.startsWith("A node was rejected") && line.includes("speaks for")));
  assert.equal(b.agent.status().connected, true);
});

test("an id belongs to the first key that claims it, until the node is forgotten", async () => {
  const first = await fixture.startNode(cp.address, { nodeId: "plain" });
  await eventually("connected", () => first.agent.status().connected);
  const files = await fixture.authority.issue("second-key", { commonName: "second" });
  await failsWith(
    await fixture.startNode(cp.address, { nodeId: "plain", files }),
    /node plain belongs to another certificate/,
  );
  assert.equal(cp.fleet.forget("plain"), "connected");
  await first.agent.stop(AbortSignal.timeout(1_000));
  await eventually("offline", () => row("plain", "offline"));
  assert.equal(cp.fleet.forget("plain"), "forgotten");
  const second = await fixture.startNode(cp.address, { nodeId: "plain", files });
  await eventually("connected", () => second.agent.status().connected);
});

test("a key without a node name cannot take the id of a certificate that has one", async () => {
  const named = await fixture.startNode(cp.address, {
    nodeId: "owner",
    files: await fixture.authority.issue("owner", spiffe("owner")),
  });
  await eventually("connected", () => named.agent.status().connected);
  await named.agent.stop(AbortSignal.timeout(1_000));
  await failsWith(await fixture.startNode(cp.address, { nodeId: "owner" }), /belongs to another certificate/);
});

test("a data plane of another minor version is refused with the sentence of the contract", async () => {
  const node = await fixture.startNode(cp.address, { nodeId: "newer", version: "1.5.0" });
  await failsWith(node, /^version mismatch: CP=1\.4\.0 DP=1\.5\.0 \(major\.minor must match\)$/);
  assert.equal(row("newer", "rejected")?.rejection?.code, "RW_VERSION_MISMATCH");
  assert.ok(fixture.counted.get("runway_fleet_rejections_total RW_VERSION_MISMATCH")! > 0);
});

test("a version mismatch is FAILED_PRECONDITION, and a first message that is no hello is INVALID_ARGUMENT", async () => {
  const files = await fixture.authority.issue("raw", { commonName: "raw" });
  const tls = { ...files, caFile: fixture.authority.caFile };
  const newer = openOriginalStream(cp.address, tls);
  newer.send({ connect: { nodeId: "raw", version: "1.5.0", hostname: "h", configHash: 0n } });
  const mismatch = await newer.ended;
  assert.equal(mismatch.code, 9);
  assert.equal(mismatch.details, "version mismatch: CP=1.4.0 DP=1.5.0 (major.minor must match)");

  const rude = openOriginalStream(cp.address, tls);
  rude.send({ heartbeat: { nodeId: "raw", configVersion: 0n, configHash: 0n, lastReloadError: "" } });
  const violation = await rude.ended;
  assert.equal(violation.code, 3);
  assert.equal(violation.details, "first message must be ConnectRequest");
});

test("two live processes that claim one id with one certificate are both reported, and the second is refused", async () => {
  const files = await fixture.authority.issue("twin", { commonName: "twin" });
  const first = await fixture.startNode(cp.address, { nodeId: "twin", files });
  await eventually("connected", () => first.agent.status().connected);
  const second = await fixture.startNode(cp.address, { nodeId: "twin", files });
  await failsWith(second, /node twin is already connected from test-host/);
  assert.ok(row("twin", "connected"));
  assert.match(row("twin", "rejected")?.rejection?.detail ?? "", /a node_id and cache_dir of its own/);
  assert.equal(first.agent.status().connected, true);
});

test("a node that restarts takes its place again at once", async () => {
  const files = await fixture.authority.issue("restart", { commonName: "restart" });
  const first = await fixture.startNode(cp.address, { nodeId: "restart", files });
  await eventually("connected", () => first.agent.status().connected);
  await first.agent.stop(AbortSignal.timeout(1_000));
  await eventually("offline", () => row("restart", "offline"));
  const second = await fixture.startNode(cp.address, { nodeId: "restart", files });
  await eventually("connected again", () => second.agent.status().connected);
  assert.ok(row("restart", "connected"));
});

test("an address that is taken is an error at the start", async () => {
  await assert.rejects(fixture.startControlPlane({ address: cp.address }), /address .*EADDRINUSE/);
});

test("an authority that is taken away takes the streams of its certificates along, and no others", async () => {
  await using fixture = await SyncFixture.create();
  const next = await createAuthority(fixture.directory, "next");
  const caFile = join(fixture.directory, "nodes-ca.crt");
  writeFileSync(caFile, fixture.authority.ca);
  writeFileSync(fixture.authority.caFile, fixture.authority.ca + next.ca);
  const cp = await fixture.startControlPlane();
  const old = await fixture.startNode(cp.address, { nodeId: "old", caFile });
  const files = await next.issue("new", { commonName: "new" });
  const renewed = await fixture.startNode(cp.address, { nodeId: "new", caFile, files });
  const isUp = (node: typeof old) => node.agent.status().connected;
  await eventually("both are connected", () => isUp(old) && isUp(renewed));
  const since = renewed.agent.status().connectedAtMs;
  writeFileSync(fixture.authority.caFile, next.ca);
  await eventually("it is told why", () =>
    fixture.logged.some((line) => line.includes("the authority of its certificate is not accepted any more")),
  );
  await eventually("it is refused from then on", () =>
    [...fixture.counted.keys()].some((name) => name.startsWith("runway_fleet_handshake_failures_total")),
  );
  assert.equal(renewed.agent.status().connectedAtMs, since);
});

/** With a certificate of the authority, or without. */
async function dial(to: ControlPlane, protocol: string, files?: CertificateFiles): Promise<TLSSocket> {
  const identity = files && { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
  const ca = readFileSync(fixture.authority.caFile);
  const port = Number(new URL(`tcp://${to.address}`).port);
  const socket = connect({ host: "127.0.0.1", port, ca, ALPNProtocols: [protocol], ...identity });
  socket.on("error", () => {});
  await once(socket, "secureConnect");
  return socket;
}

test("a connection that asks for nothing is closed, whether it is a node's or of somebody who wants to join", async () => {
  const door = { authorities: async () => "", join: () => Promise.reject(new Error("nobody asks")) };
  const hasty = { ...systemClock, after: (ms: number, act: () => void) => systemClock.after(Math.min(ms, 200), act) };
  const impatient = await fixture.startControlPlane({ joining: door, clock: hasty });
  const files = await fixture.authority.issue("idle", { commonName: "idle" });
  const idle = [await dial(impatient, "http/1.1", files), await dial(impatient, "runway-join/1")];
  for (const socket of idle) {
    socket.resume().write("GET / HTT");
    await once(socket, "close");
  }
});

test("a request that makes no sense is answered, and the control plane lives on", async () => {
  const files = await fixture.authority.issue("odd", { commonName: "odd" });
  const socket = await dial(cp, "http/1.1", files);
  socket.write("GET //[ HTTP/1.1\r\nHost: cp\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n");
  const [answer] = (await once(socket, "data")) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 404 /);
});
