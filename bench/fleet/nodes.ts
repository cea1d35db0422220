import { systemClock } from "../../src/core/clock.ts";
import { silentLogger, silentMeter } from "../../src/core/ports.ts";
import { Agent, type ApplySink } from "../../src/sync/agent.ts";
import { createConnector } from "../../src/sync/create-connector.ts";
import type { NodeNumbers } from "../../src/sync/messages.ts";
import { Arrivals } from "./arrivals.ts";
import type { Certificates, NodeCertificate } from "./certificates.ts";
import { Turns } from "./turns.ts";

export interface NodesOptions {
  /** Of the control plane. */
  readonly address: string;
  readonly certificates: Certificates;
  /** Of the program; the control plane refuses nodes of another. */
  readonly version: string;
}

const STOP_TIMEOUT_MS = 10_000;

/** Many data planes without a proxy, in this process: each a real client of the protocol with a connection of its own. */
export class Nodes implements AsyncDisposable {
  readonly arrivals = new Arrivals();
  readonly #agents: readonly Agent[];

  constructor(options: NodesOptions) {
    const turns = new Turns();
    this.#agents = options.certificates.nodes.map((certificate) =>
      createAgent(certificate, options, this.arrivals, turns),
    );
  }

  get count(): number {
    return this.#agents.length;
  }

  /** All at once; it does not wait for connections. */
  async start(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.start()));
  }

  /** Since when each node that is connected is so; milliseconds since 1970. */
  connectedSinceMs(): readonly number[] {
    return this.#agents.map((agent) => agent.status().connectedAtMs).filter((since) => since !== undefined);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const deadline = AbortSignal.timeout(STOP_TIMEOUT_MS);
    await Promise.all(this.#agents.map((agent) => agent.stop(deadline)));
  }
}

/** With the intervals that a node has unless it is told otherwise. */
function createAgent(
  { nodeId, certFile, keyFile }: NodeCertificate,
  { address, certificates: { caFile }, version }: NodesOptions,
  arrivals: Arrivals,
  turns: Turns,
): Agent {
  return new Agent({
    nodeId,
    version,
    hostname: "bench",
    labels: {},
    addresses: [address],
    heartbeatIntervalMs: 10_000,
    retryIntervalMs: 5_000,
    connector: turns.wrap(
      createConnector({ transport: "grpc", tls: { certFile, keyFile, caFile }, clock: systemClock }),
    ),
    sink: noting(nodeId, arrivals),
    clock: systemClock,
    random: Math.random,
    logger: silentLogger,
    meter: silentMeter,
    status: () => IDLE,
  });
}

/** Applies to nothing. The hash was verified before the sink is asked. */
function noting(nodeId: string, arrivals: Arrivals): ApplySink {
  return {
    async apply(incoming) {
      if (incoming.kind !== "snapshot") throw new Error("the control plane took the node for an original one");
      const { version, hash } = incoming.snapshot;
      arrivals.record(version, nodeId);
      return { ok: true, stateHash: hash, durationsMs: {} };
    },
  };
}

const IDLE: NodeNumbers = {
  routes: 0,
  healthyRoutes: 0,
  activeConnections: 0,
  uptimeSeconds: 0,
  requestsTotal: 0,
  failuresTotal: 0,
  latencyP50Ms: 0,
  latencyP99Ms: 0,
  eventLoopLagP99Ms: 0,
  memoryBytes: 0,
  certificateNotAfterMs: undefined,
  cacheError: "",
};
