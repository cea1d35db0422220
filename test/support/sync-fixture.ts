import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deltaBetween } from "../../src/config/delta.ts";
import { createSnapshot, type Snapshot } from "../../src/config/snapshot.ts";
import { systemClock } from "../../src/core/clock.ts";
import { type Labels, type Logger, type Meter, silentMeter } from "../../src/core/ports.ts";
import { Agent, type AgentOptions } from "../../src/sync/agent.ts";
import type { StreamSink } from "../../src/sync/connection.ts";
import { type ConnectorOptions, createConnector } from "../../src/sync/create-connector.ts";
import { Fleet, type FleetOptions } from "../../src/sync/fleet.ts";
import { FleetServer, type FleetServerOptions } from "../../src/sync/fleet-server.ts";
import type { NodeNumbers } from "../../src/sync/messages.ts";
import { MemoryIdentityLedger } from "../../src/sync/node-identity.ts";
import type { ApplyOutcome, Incoming } from "../../src/sync/node-state.ts";
import { type CertificateFiles, createAuthority, type TestAuthority } from "./certificates.ts";

const NUMBERS: NodeNumbers = {
  routes: 3,
  healthyRoutes: 2,
  activeConnections: 1,
  uptimeSeconds: 60,
  requestsTotal: 1_000,
  failuresTotal: 10,
  latencyP50Ms: 1.5,
  latencyP99Ms: 20.25,
  eventLoopLagP99Ms: 0.5,
  memoryBytes: 100_000_000,
  certificateNotAfterMs: 1_900_000_000_000,
  cacheError: "",
};

/** A snapshot that says its version, with `routes` routes. */
export function snapshotOf(version: number, routes = 1): Snapshot {
  const resources = Array.from({ length: routes }, (_, index) => ({
    kind: "route" as const,
    id: `route-${index}`,
    spec: { path: `/${version}/${index}` },
  }));
  return createSnapshot({ epoch: "0d9c1f1e-4b8e-4f57-8a5c-6a2b3c4d5e6f", version, resources });
}

type Sync = "delta" | "full";

/** Real sessions over real sockets with real certificates; everything ends, and is removed, with the fixture. */
export class SyncFixture implements AsyncDisposable {
  readonly directory: string;
  readonly authority: TestAuthority;
  readonly controlPlaneFiles: CertificateFiles;
  readonly logged: string[] = [];
  readonly counted = new Map<string, number>();
  readonly #running: { stop(deadline: AbortSignal): Promise<void> }[] = [];

  readonly #takesDeltas: boolean;

  private constructor(sync: Sync, directory: string, authority: TestAuthority, controlPlaneFiles: CertificateFiles) {
    this.#takesDeltas = sync === "delta";
    this.directory = directory;
    this.authority = authority;
    this.controlPlaneFiles = controlPlaneFiles;
  }

  /** @param sync what its nodes are sent */
  static async create(sync: Sync = "delta"): Promise<SyncFixture> {
    const directory = mkdtempSync(join(tmpdir(), "runway-sync-"));
    const authority = await createAuthority(directory, "ca");
    return new SyncFixture(sync, directory, authority, await authority.issue("cp", { commonName: "cp" }));
  }

  /** Logs and counts into `logged` and `counted`. */
  get logger(): Logger {
    const log = (message: string, fields?: Record<string, unknown>): void => {
      this.logged.push(
        `${message} ${JSON.stringify(fields, (_, value) => (typeof value === "bigint" ? `${value}` : value))}`,
      );
    };
    const logger: Logger = { debug: log, info: log, warn: log, error: log, child: () => logger };
    return logger;
  }

  get meter(): Meter {
    return {
      ...silentMeter,
      counter: ({ name }) => ({
        add: (amount = 1, labels: Labels = {}) => {
          const key = [name, ...Object.values(labels)].join(" ");
          this.counted.set(key, (this.counted.get(key) ?? 0) + amount);
        },
      }),
    };
  }

  async startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
    const {
      address = "127.0.0.1:0",
      before = (fleet) => fleet,
      joining,
      clock = systemClock,
      ...fleetOptions
    } = options;
    const { logger, meter } = this;
    const common = { clock, random: Math.random, logger, meter };
    const ledger = new MemoryIdentityLedger();
    const fleet = new Fleet({ controlPlaneId: "cp", version: "1.4.0", ledger, ...common, ...fleetOptions });
    const tls = { ...this.controlPlaneFiles, clientCaFile: this.authority.caFile };
    const authoritiesChanged: FleetServerOptions["authoritiesChanged"] = (now) => void fleet.enforceAuthorities(now);
    const server = new FleetServer({ address, tls, fleet: before(fleet), joining, authoritiesChanged, ...common });
    await server.start();
    this.#running.push(server);
    return new ControlPlane(fleet, server);
  }

  /** A node whose certificate has no node name, unless `files` say otherwise. */
  async startNode(address: string, options: NodeOptions = {}): Promise<TestNode> {
    const { files, caFile, serverName, transport = "grpc", proxy, ...agentOptions } = options;
    const nodeId = options.nodeId ?? "node-1";
    const { certFile, keyFile } = files ?? (await this.authority.issue(nodeId, { commonName: nodeId }));
    const tls = { certFile, keyFile, caFile: caFile ?? this.authority.caFile, serverName, proxy };
    const node = new TestNode();
    const agent = new Agent({
      nodeId,
      version: "1.4.1",
      hostname: "test-host",
      labels: { zone: "a" },
      addresses: [address],
      heartbeatIntervalMs: 1_000,
      retryIntervalMs: 100,
      connector: createConnector({ transport, tls, clock: systemClock }),
      sink: node,
      takesDeltas: this.#takesDeltas,
      clock: systemClock,
      random: Math.random,
      logger: this.logger,
      meter: silentMeter,
      status: () => NUMBERS,
      ...agentOptions,
    });
    node.agent = agent;
    this.#running.push(agent);
    await agent.start();
    return node;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const service of this.#running.reverse()) await service.stop(AbortSignal.timeout(2_000));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

export type ControlPlaneOptions = Partial<FleetOptions> & {
  readonly address?: string;
  /** What stands between the transports and the fleet; nothing unless given. */
  readonly before?: (fleet: Fleet) => StreamSink;
  readonly joining?: FleetServerOptions["joining"];
};

export type NodeOptions = Partial<AgentOptions> & {
  readonly files?: CertificateFiles;
  readonly caFile?: string;
  readonly serverName?: string;
  readonly proxy?: URL;
  readonly transport?: ConnectorOptions["transport"];
};

export class ControlPlane {
  readonly fleet: Fleet;
  readonly server: FleetServer;
  #published: Snapshot | undefined;

  constructor(fleet: Fleet, server: FleetServer) {
    this.fleet = fleet;
    this.server = server;
  }

  get address(): string {
    return this.server.address();
  }

  /** With what changed since the snapshot that was published before. */
  publish(snapshot: Snapshot, yaml = `# version ${snapshot.version}\n`): void {
    const before = this.#published;
    this.#published = snapshot;
    const change = before && {
      fromVersion: before.version,
      delta: deltaBetween(before.resources, snapshot.resources),
    };
    this.fleet.publish({ snapshot, source: "admin-api", timestampMs: Date.now(), originalYaml: () => yaml, change });
  }

  stop(): Promise<void> {
    return this.server.stop(AbortSignal.timeout(2_000));
  }
}

/** A node that takes what it is given, unless `refuses` says why not. */
export class TestNode {
  agent!: Agent;
  readonly applied: Incoming[] = [];
  refuses: string | undefined;

  async apply(incoming: Incoming): Promise<ApplyOutcome> {
    if (this.refuses !== undefined)
      return {
        ok: false,
        reason: "RW_CONFIGURATION_REFUSED",
        problems: [{ path: "listeners[0].address", message: this.refuses, kind: "listener", id: "http" }],
      };
    this.applied.push(incoming);
    const stateHash = incoming.kind === "snapshot" ? incoming.snapshot.hash : incoming.yamlHash;
    return { ok: true, stateHash, durationsMs: { compile: 1, swap: 0.5 } };
  }

  get version(): number {
    return this.agent.status().configVersion;
  }
}
