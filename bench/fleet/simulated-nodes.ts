import { readFileSync } from "node:fs";
import { systemClock } from "../../src/core/clock.ts";
import { silentLogger, silentMeter } from "../../src/core/ports.ts";
import { Agent, type ApplySink } from "../../src/sync/agent.ts";
import type { ConnectionEvents, Connector, Transport } from "../../src/sync/connection.ts";
import type { FromControlPlane, NodeNumbers } from "../../src/sync/messages.ts";
import { Arrivals } from "./arrivals.ts";
import type { NodeCertificate } from "./certificates.ts";
import { LeanGrpcConnector } from "./lean-grpc-connector.ts";
import { LeanWebSocketConnector } from "./lean-websocket-connector.ts";
import { NodeDialer } from "./node-dialer.ts";
import { SharedWork } from "./shared-work.ts";

/** One node: who it is and how it goes to which control planes. */
export interface SimulatedNodeOptions {
  readonly certificate: NodeCertificate;
  readonly transport: Transport;
  readonly addresses: readonly string[];
}

export interface SimulatedNodesOptions {
  readonly nodes: readonly SimulatedNodeOptions[];
  readonly caFile: string;
  /** Of the program; the control plane refuses nodes of another. */
  readonly version: string;
}

/** How the nodes of a process stand. */
export interface NodesStanding {
  readonly connected: number;
  /** Connected nodes by the version that they run. */
  readonly byVersion: ReadonlyMap<number, number>;
  /** Chunks and deltas that came, since the start. */
  readonly configurationMessages: number;
  /** Octets of TCP in both directions, since the start. */
  readonly bytes: number;
  readonly cpuMs: number;
  /** Why nodes that are not connected are not, with how many there are. */
  readonly failures: ReadonlyMap<string, number>;
}

const STOP_TIMEOUT_MS = 5_000;

/** Many data planes without a proxy in one process: each a real client of the protocol with certificate and connection of its own. */
export class SimulatedNodes {
  readonly #arrivals = new Arrivals();
  readonly #work = new SharedWork();
  readonly #dialers: NodeDialer[] = [];
  readonly #agents: Agent[] = [];
  #configurationMessages = 0;

  constructor({ nodes, caFile, version }: SimulatedNodesOptions) {
    const ca = readFileSync(caFile);
    for (const node of nodes) {
      const dialer = new NodeDialer(node.certificate, ca);
      this.#dialers.push(dialer);
      this.#agents.push(this.#createAgent(node, version, dialer));
    }
  }

  /** All at once; it does not wait for connections. */
  async start(): Promise<void> {
    await Promise.all(this.#agents.map((agent) => agent.start()));
  }

  /** Breaks all connections at one moment. */
  cut(): void {
    for (const dialer of this.#dialers) dialer.cut();
  }

  /** When which node had applied this version. */
  arrivals(version: number): readonly number[] {
    return this.#arrivals.of(version);
  }

  standing(): NodesStanding {
    const byVersion = new Map<number, number>();
    const failures = new Map<string, number>();
    const count = <Key>(counts: Map<Key, number>, key: Key) => counts.set(key, (counts.get(key) ?? 0) + 1);
    for (const agent of this.#agents) {
      const { connected, configVersion, lastError } = agent.status();
      if (connected) count(byVersion, configVersion);
      else count(failures, lastError);
    }
    const { user, system } = process.cpuUsage();
    return {
      connected: [...byVersion.values()].reduce((sum, nodes) => sum + nodes, 0),
      byVersion,
      configurationMessages: this.#configurationMessages,
      bytes: this.#dialers.reduce((sum, { bytes }) => sum + bytes, 0),
      cpuMs: (user + system) / 1_000,
      failures,
    };
  }

  async stop(): Promise<void> {
    const deadline = AbortSignal.timeout(STOP_TIMEOUT_MS);
    await Promise.all(this.#agents.map((agent) => agent.stop(deadline)));
  }

  /** With the intervals that a node has unless it is told otherwise. */
  #createAgent(
    { certificate, transport, addresses }: SimulatedNodeOptions,
    version: string,
    dialer: NodeDialer,
  ): Agent {
    const { nodeId } = certificate;
    const work = this.#work;
    const lean = transport === "grpc" ? new LeanGrpcConnector(dialer, work) : new LeanWebSocketConnector(dialer, work);
    return new Agent({
      ...{ nodeId, version, addresses },
      hostname: "bench",
      labels: {},
      heartbeatIntervalMs: 10_000,
      retryIntervalMs: 5_000,
      connector: this.#counting(lean),
      sink: noting(nodeId, this.#arrivals),
      step: work.step,
      clock: systemClock,
      random: Math.random,
      logger: silentLogger,
      meter: silentMeter,
      status: () => IDLE,
    });
  }

  #counting(connector: Connector): Connector {
    const seen = (message: FromControlPlane, events: ConnectionEvents) => {
      if (message.type === "chunk" || message.type === "delta") this.#configurationMessages += 1;
      events.received(message);
    };
    return {
      connect: (address, events) =>
        connector.connect(address, {
          opened: () => events.opened(),
          received: (message) => seen(message, events),
          closed: (reason, comeBackAfterMs) => events.closed(reason, comeBackAfterMs),
        }),
    };
  }
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
