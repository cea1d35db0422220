import { X509Certificate } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { NODE_PREFIX } from "../../src/admin/node-calls.ts";
import { CertificateRenewal } from "../../src/app/node/certificate-renewal.ts";
import { createRequest } from "../../src/app/pki/certificate-request.ts";
import { IdentityFiles } from "../../src/app/pki/identity-files.ts";
import { VERSION } from "../../src/app/version.ts";
import { systemClock } from "../../src/core/clock.ts";
import { silentLogger, silentMeter } from "../../src/core/ports.ts";
import { Agent } from "../../src/sync/agent.ts";
import { certificatesOf } from "../../src/sync/certificates-of.ts";
import { createConnector } from "../../src/sync/create-connector.ts";
import { joinControlPlane } from "../../src/sync/join/join-control-plane.ts";
import type { Cluster } from "./cluster.ts";
import { eventually } from "./eventually.ts";

const NUMBERS = {
  ...{ routes: 0, healthyRoutes: 0, activeConnections: 0, uptimeSeconds: 0, requestsTotal: 0, failuresTotal: 0 },
  ...{ latencyP50Ms: 0, latencyP99Ms: 0, eventLoopLagP99Ms: 0, memoryBytes: 0, cacheError: "" },
  certificateNotAfterMs: undefined,
};
const LOOK_EVERY_MS = 5;

/** A data plane without a proxy, in this process: a real client of the protocol that joined and renews its certificate. */
export class JoinedNode {
  readonly nodeId: string;
  readonly files: IdentityFiles;
  readonly agent: Agent;
  readonly renewal: CertificateRenewal;
  /** The longest time without a stream since it was connected first. */
  longestOutageMs = 0;
  #lastConnectedMs: number | undefined;

  constructor(nodeId: string, files: IdentityFiles, address: string) {
    this.nodeId = nodeId;
    this.files = files;
    const { identityFile: certFile, authoritiesFile: caFile } = files;
    const common = { clock: systemClock, random: Math.random, logger: silentLogger };
    this.renewal = new CertificateRenewal({
      ...{ files, ...common },
      call: (method, params, options) => this.agent.call(method, params, options),
    });
    this.agent = new Agent({
      ...{ nodeId, version: VERSION, hostname: "joined", labels: {}, addresses: [address] },
      ...{ heartbeatIntervalMs: 1_000, retryIntervalMs: 200, ...common, meter: silentMeter },
      connector: createConnector({
        transport: "grpc",
        tls: { certFile, keyFile: certFile, caFile },
        clock: systemClock,
      }),
      sink: {
        async apply(incoming) {
          if (incoming.kind !== "snapshot") throw new Error("it was taken for an original data plane");
          return { ok: true, stateHash: incoming.snapshot.hash, durationsMs: {} };
        },
      },
      methods: {
        [`${NODE_PREFIX}renew`]: () => {
          this.renewal.renewSoon();
          return null;
        },
      },
      status: () => NUMBERS,
    });
  }

  get certificate(): X509Certificate {
    return new X509Certificate(readFileSync(this.files.identityFile));
  }

  get authorities(): X509Certificate[] {
    return certificatesOf(readFileSync(this.files.authoritiesFile, "utf8"));
  }

  /** Called again and again: an outage is known as exactly as that is often. */
  look(nowMs: number): void {
    if (this.agent.status().connected) this.#lastConnectedMs = nowMs;
    else if (this.#lastConnectedMs !== undefined)
      this.longestOutageMs = Math.max(this.longestOutageMs, nowMs - this.#lastConnectedMs);
  }
}

/** Many nodes that joined one control plane, which is a process of its own. They end with the fleet, and the cluster does not. */
export class JoinedFleet implements AsyncDisposable {
  readonly nodes: readonly JoinedNode[];
  readonly #looking: NodeJS.Timeout;

  private constructor(nodes: readonly JoinedNode[]) {
    this.nodes = nodes;
    this.#looking = setInterval(() => {
      const nowMs = performance.now();
      for (const node of nodes) node.look(nowMs);
    }, LOOK_EVERY_MS);
  }

  static async join(cluster: Cluster, count: number): Promise<JoinedFleet> {
    const ids = Array.from({ length: count }, (_, number) => `joined-${number + 1}`);
    const nodes: JoinedNode[] = [];
    for (const id of ids) nodes.push(await joinNode(cluster, id));
    const fleet = new JoinedFleet(nodes);
    for (const { agent, renewal } of nodes) {
      await agent.start();
      await renewal.start();
    }
    await eventually("every node is connected", () => nodes.every(({ agent }) => agent.status().connected), 60_000);
    return fleet;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#looking);
    for (const { renewal } of this.nodes) await renewal.stop();
    await Promise.all(this.nodes.map(({ agent }) => agent.stop(AbortSignal.timeout(5_000))));
  }
}

async function joinNode(cluster: Cluster, nodeId: string): Promise<JoinedNode> {
  const answer = await cluster.controlPlane.admin("/api/v1/join-tokens", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ node_id: nodeId }),
  });
  const { token } = (await answer.json()) as { token: string };
  const { request, key } = await createRequest();
  const address = `127.0.0.1:${cluster.clusterPort}`;
  const { certificate, authorities } = await joinControlPlane({ address, token, request });
  const directory = join(cluster.directory, nodeId);
  mkdirSync(directory);
  const files = IdentityFiles.in(directory);
  await files.write({ key, certificate, authorities });
  return new JoinedNode(nodeId, files, address);
}
