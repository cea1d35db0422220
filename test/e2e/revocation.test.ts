import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Cluster, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { PostgresServer, postgresMissing } from "../support/postgres-server.ts";

describe("revocation", () => {
  let origin: Origin;
  const document = () => `routes:\n  - id: api\n    path: /api\n    backends: [{ url: "${origin.url}" }]\n`;

  before(async () => {
    origin = await startOrigin();
  });
  after(() => origin[Symbol.asyncDispose]());

  const revoke = async (cp: Member, body: object) => {
    const headers = { "content-type": "application/json" };
    const answer = await cp.admin("/api/v1/revocations", { method: "POST", headers, body: JSON.stringify(body) });
    assert.equal(answer.status, 201, await answer.text());
  };
  const statusesOf = async (cluster: Cluster, nodeId: string, seenBy?: Member) =>
    (await cluster.nodes(seenBy)).filter((row) => row.node_id === nodeId).map(({ status }) => status);
  const isOut = async (cluster: Cluster, nodeId: string, seenBy?: Member) => {
    const statuses = await statusesOf(cluster, nodeId, seenBy);
    return !statuses.includes("connected") && statuses.includes("rejected");
  };

  it("ends the stream of a certificate and keeps it out, over restarts of the control plane too; the node serves on", async () => {
    await using cluster = await Cluster.start(document(), 0);
    const certificate = await cluster.issueNode("dp-1");
    const node = await cluster.addDataPlane("dp-1", { certificate });
    await cluster.addDataPlane("dp-2");
    await cluster.inSync();
    const { fingerprint256 } = new X509Certificate(readFileSync(certificate.certFile));
    await revoke(cluster.controlPlane, { fingerprint: fingerprint256, reason: "it was stolen" });
    await eventually("dp-1 is out", () => isOut(cluster, "dp-1"));
    assert.deepEqual(await statusesOf(cluster, "dp-2"), ["connected"]);
    const { last_error } = await eventually("dp-1 knows why", async () => {
      const status = await node.status();
      return String(status.last_error).includes("revoked") && status;
    });
    assert.match(String(last_error), /its certificate was revoked at .* \(it was stolen\)/);
    assert.equal((await node.get("/api")).status, 200);
    await cluster.controlPlane.process.end("SIGKILL");
    await cluster.startControlPlane();
    await eventually("dp-1 is turned away by the new process", () => isOut(cluster, "dp-1"));
    const metrics = await (await cluster.controlPlane.admin("/metrics")).text();
    assert.match(metrics, /runway_fleet_rejections_total\{code="RW_CERTIFICATE_REVOKED"\} [1-9]/);
  });

  it("of a node on one control plane ends its stream at another, and a later certificate lets it in again", {
    skip: postgresMissing() ?? false,
  }, async () => {
    await using server = await PostgresServer.start();
    const store = await server.newDatabase();
    await using cluster = await Cluster.start(document(), 0, { controlPlanes: 2, store });
    const [one, two] = cluster.controlPlanes as [Member, Member];
    const node = await cluster.addDataPlane("dp-1", { controlPlanes: [two] });
    await cluster.inSync();
    await revoke(one, { node_id: "dp-1", reason: "" });
    await eventually("dp-1 is out at the other control plane", () => isOut(cluster, "dp-1", two));
    const audit = (await (await two.admin("/api/v1/audit")).json()) as { data: { action: string; detail: object }[] };
    assert.deepEqual(audit.data.filter(({ action }) => action === "certificate.revoke")[0]?.detail, {
      ...{ node: "dp-1", reason: "" },
    });
    const names = [{ type: "url", value: "spiffe://runway/node/dp-1" }] as const;
    const notBefore = new Date(Date.now() + 1_000);
    await cluster.authority.issue("dp-1", { commonName: "dp-1", names, notBefore });
    await eventually("dp-1 is in with the certificate that began after it was revoked", async () => {
      return (await node.status()).connected;
    });
  });
});
