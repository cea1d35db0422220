import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { connect } from "node:tls";
import { createAuthority } from "../support/certificates.ts";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";

const DAY_MS = 86_400_000;

describe("who may join the cluster", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start("", 1);
    await cluster.inSync();
  });
  after(() => cluster[Symbol.asyncDispose]());

  async function metric(name: RegExp): Promise<number> {
    const text = await (await cluster.controlPlane.admin("/metrics")).text();
    return [...text.matchAll(new RegExp(`^${name.source}(?:\\{[^}]*\\})? (\\d+)`, "gm"))].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  }

  async function refusedHandshake(attempt: () => Promise<unknown>): Promise<void> {
    const counted = await metric(/runway_fleet_handshake_failures_total/);
    await attempt();
    await eventually(
      "the handshake failure is counted",
      async () => (await metric(/runway_fleet_handshake_failures_total/)) > counted,
    );
    await cluster.controlPlane.process.logged("A TLS handshake with a data plane failed");
  }

  it("refuses a peer without a certificate at the handshake, logged and counted", async () => {
    await refusedHandshake(async () => {
      const ca = readFileSync(cluster.authority.caFile);
      const socket = connect({ port: cluster.clusterPort, host: "127.0.0.1", ca, ALPNProtocols: ["h2"] });
      socket.on("error", () => {});
      // Not `once`, which would take the alert that the server answers with for a failure of the test.
      await new Promise((closed) => socket.once("close", closed));
    });
  });

  it("refuses a certificate of a foreign authority at the handshake, logged and counted", async () => {
    const foreign = await createAuthority(cluster.directory, "foreign");
    await refusedHandshake(async () => {
      const certificate = await foreign.issue("stranger", { commonName: "stranger" });
      const member = await cluster.addDataPlane("stranger", { certificate, listeners: "" });
      await eventually("it stays outside", async () => (await member.status()).connected === false);
      await member.process.logged("The control plane could not be reached or did not accept this node");
      await member.process.end();
    });
    assert.equal(await cluster.node("stranger"), undefined);
  });

  it("refuses an expired certificate at the handshake", async () => {
    await refusedHandshake(async () => {
      const notAfter = new Date(Date.now() - DAY_MS);
      const certificate = await cluster.authority.issue("late", {
        commonName: "late",
        notBefore: new Date(Date.now() - 2 * DAY_MS),
        notAfter,
      });
      const member = await cluster.addDataPlane("late", { certificate, listeners: "" });
      await member.process.logged("The control plane could not be reached or did not accept this node");
      await member.process.end();
    });
  });

  it("refuses the certificate of one node that claims to be another, and shows it as rejected", async () => {
    const certificate = await cluster.issueNode("node-a");
    const member = await cluster.addDataPlane("node-b", { certificate, listeners: "" });
    const row = await eventually("it is shown as rejected", async () => {
      const shown = await cluster.node("node-b");
      return shown?.status === "rejected" ? shown : undefined;
    });
    assert.equal(row.in_sync, false);
    assert.equal((await member.status()).connected, false);
    assert.equal((await member.status()).has_config, false);
    await cluster.controlPlane.process.logged("A node was rejected");
    assert.ok((await metric(/runway_fleet_rejections_total/)) > 0);
    await member.process.end();
  });
});
