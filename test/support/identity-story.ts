import { copyFileSync, writeFileSync } from "node:fs";
import { setTimeout as pause } from "node:timers/promises";
import { createAuthority, LOOPBACK_NAMES } from "./certificates.ts";
import { Cluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";
import { JoinedFleet, type JoinedNode } from "./joined-fleet.ts";

const PATIENCE_MS = 120_000;
const CHANGE_EVERY_MS = 100;
const REVOKED = 0;
const FILES_ARE_NEW = "The certificate files have changed and are used for new connections";

/** All in milliseconds. */
export interface IdentityFigures {
  readonly nodes: number;
  readonly versions: number;
  readonly joinAllMs: number;
  readonly renewAllMs: number;
  /** From the request to revoke a node until it has no stream, as the node itself notices. */
  readonly revokedOutMs: number;
  readonly rotateAllMs: number;
  /** The longest time that any node but the revoked one had no stream, in the whole story. */
  readonly longestOutageMs: number;
}

/**
 * A fleet joins; while the configuration changes all the time, all its certificates are renewed, one node is revoked, and the
 * authority is replaced by another: both are trusted, then every node and the control plane have new certificates, then the old one is
 * taken away. Answers when the fleet is where it should be after each step; throws where it does not get there.
 */
export async function tellIdentityStory(count: number): Promise<IdentityFigures> {
  await using cluster = await Cluster.start("routes: []\n", 0, { ca: "lifetime: 1h" });
  const joining = performance.now();
  await using fleet = await JoinedFleet.join(cluster, count);
  const joinAllMs = performance.now() - joining;
  const changes = new Changes(cluster);
  const { nodes } = fleet;
  const renewAllMs = await timed(() => renewAll(cluster, nodes));
  const [revoked, ...others] = [nodes[REVOKED]!, ...nodes.slice(REVOKED + 1)];
  const revokedOutMs = await timed(() => revoke(cluster, revoked));
  const rotateAllMs = await timed(() => rotate(cluster, others));
  const version = await changes.stop();
  await eventually(
    "every node but one has the last version",
    () => others.every(({ agent }) => agent.status().configVersion === version && agent.status().connected),
    PATIENCE_MS,
  );
  if (revoked.agent.status().connected) throw new Error("the revoked node came back");
  const longestOutageMs = Math.max(...others.map((node) => node.longestOutageMs));
  return { nodes: count, versions: version, joinAllMs, renewAllMs, revokedOutMs, rotateAllMs, longestOutageMs };
}

async function timed(step: () => Promise<void>): Promise<number> {
  const from = performance.now();
  await step();
  return performance.now() - from;
}

async function renewAll(cluster: Cluster, nodes: readonly JoinedNode[]): Promise<void> {
  const before = new Map(nodes.map((node) => [node, node.certificate.fingerprint256]));
  for (const { nodeId } of nodes)
    await cluster.controlPlane.admin(`/api/v1/data-planes/${nodeId}/renew`, { method: "POST" });
  await eventually(
    "every node has another certificate",
    () => nodes.every((node) => node.certificate.fingerprint256 !== before.get(node)),
    PATIENCE_MS,
  );
}

async function revoke(cluster: Cluster, { nodeId, agent }: JoinedNode): Promise<void> {
  const headers = { "content-type": "application/json" };
  const body = JSON.stringify({ node_id: nodeId, reason: "it was stolen" });
  const answer = await cluster.controlPlane.admin("/api/v1/revocations", { method: "POST", headers, body });
  if (answer.status !== 201) throw new Error(await answer.text());
  await eventually(`${nodeId} is out`, () => !agent.status().connected, PATIENCE_MS);
}

async function rotate(cluster: Cluster, nodes: readonly JoinedNode[]): Promise<void> {
  const { authority: old, directory, controlPlane } = cluster;
  const next = await createAuthority(directory, "next");
  const ofNext = (node: JoinedNode) => node.certificate.issuer === "CN=next";
  copyFileSync(next.caKeyFile, old.caKeyFile);
  writeFileSync(old.caFile, next.ca + old.ca);
  await eventually("every node is certified by the next authority", () => nodes.every(ofNext), PATIENCE_MS);
  const renewals = () => controlPlane.process.lines.filter(({ msg }) => msg === FILES_ARE_NEW).length;
  const before = renewals();
  await next.issue("cp", { commonName: "cp", names: LOOPBACK_NAMES });
  await eventually("the control plane shows its next certificate", () => renewals() > before, PATIENCE_MS);
  writeFileSync(old.caFile, next.ca);
  const trustsOne = ({ authorities }: JoinedNode) => authorities.length === 1 && authorities[0]!.subject === "CN=next";
  await eventually("every node trusts the next authority alone", () => nodes.every(trustsOne), PATIENCE_MS);
}

/** One change of the configuration after the other. */
class Changes {
  readonly #cluster: Cluster;
  readonly #changing: Promise<void>;
  #isOver = false;
  #version = 0;

  constructor(cluster: Cluster) {
    this.#cluster = cluster;
    this.#changing = this.#change();
  }

  /** Answers the last version. */
  async stop(): Promise<number> {
    this.#isOver = true;
    await this.#changing;
    return this.#version;
  }

  async #change(): Promise<void> {
    for (let number = 1; !this.#isOver; number += 1) {
      const answer = await this.#cluster.push(
        `routes:\n  - { id: r, path: /v${number}, backends: [{ url: "http://o:80" }] }\n`,
      );
      if (answer.status !== 200) throw new Error(await answer.text());
      this.#version = await this.#cluster.version();
      await pause(CHANGE_EVERY_MS);
    }
  }
}
