/** In-memory ports for tests of the admin API and of the programs that speak to it. Nothing else imports this file. */
import type { Configuration } from "../config/configuration.ts";
import { applyDelta, effectiveDelta } from "../config/delta.ts";
import { describeChange, difference } from "../config/difference.ts";
import { parseDocument, toResources } from "../config/document.ts";
import type { Json, JsonObject } from "../config/json.ts";
import { isOpen } from "../config/node-checks.ts";
import { AdminSettings } from "../config/node-settings.ts";
import { renderDocument } from "../config/render-document.ts";
import type { Resource } from "../config/resource.ts";
import { RouteSpec } from "../config/resources/route.ts";
import { SETTINGS, type Settings } from "../config/resources/settings.ts";
import type { Revocation } from "../config/revocation-list.ts";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { stateHash } from "../config/state-hash.ts";
import { plainLanguage } from "../config/testing/plain-language.ts";
import type { Token, TokenStore } from "../config/token-store.ts";
import { systemClock } from "../core/clock.ts";
import { RunwayError } from "../core/failure.ts";
import { silentLogger } from "../core/ports.ts";
import { Gate } from "./access/gate.ts";
import { type AdminViews, adminOperations } from "./admin-operations.ts";
import { type AdminDeed, AdminServer } from "./admin-server.ts";
import type { ConfigurationChange } from "./configuration-change.ts";
import type {
  ChangeTerms,
  ConfigurationDesk,
  ConfigurationEdit,
  ConfigurationPush,
  CurrentConfiguration,
} from "./configuration-desk.ts";
import type { DataPlaneStatus } from "./data-plane-view.ts";
import type { FleetProgress, FleetView, NodeReport } from "./fleet-view.ts";
import type {
  ExplainedRequest,
  GatewayStatus,
  GatewayView,
  HealthCheck,
  RouteExplanation,
  ShownCertificate,
  ShownUpstream,
} from "./gateway-view.ts";
import type { LogLevel, LogLevelControl, NodeControl } from "./node-control.ts";
import { ReloadHistory } from "./reload-history.ts";

export const SAMPLE_YAML = `routes:
  - id: api
    path: /api
    path_prefix: true
    backends:
      - url: http://127.0.0.1:9000
`;

/** A gateway that proxies nothing; its fields are what it reports. */
export class SampleGateway implements GatewayView {
  healthyRoutes = 1;
  reasons: string[] = [];
  checks: HealthCheck[] = [];
  shownCertificates: ShownCertificate[] = [];
  /** What is known of targets, by who has them. */
  readonly known = new Map<string, ShownUpstream>();
  #drainingSince: number | undefined;
  #isClosed = false;

  configuration(): Configuration | undefined {
    const settings = Object.fromEntries(Object.entries(SETTINGS).map(([name, spec]) => [name, spec.parse({})]));
    const backends = [{ url: "http://127.0.0.1:9000", weight: 1 }];
    const route = RouteSpec.parse({
      path: "/api",
      path_prefix: true,
      backends,
      match: { domains: ["api.example.com"] },
    });
    return {
      listeners: [],
      routes: [{ id: "api", plugins: {}, ...route }],
      upstreams: [],
      settings: settings as Settings,
      consumers: [],
      certificates: [],
      plugins: {},
      owned: {},
    };
  }

  status(): GatewayStatus {
    return {
      activeConnections: 3,
      activeRequests: 1,
      requestsTotal: 1_000,
      failuresTotal: 2,
      healthyRoutes: this.healthyRoutes,
      listeners: [{ id: "http", protocol: "http", address: "127.0.0.1:8080" }],
      workers: [{ id: 0, state: "running", restarts: 0 }],
    };
  }

  /** Says what it was asked. */
  explainRoute({ method, url, headers }: ExplainedRequest): RouteExplanation {
    const lost = { id: "api", lostBy: "path", reason: [method, url, ...headers].join(" ") };
    return { route: undefined, allow: ["POST"], others: [lost], unlisted: { host: 7 } };
  }

  notReadyReasons = () => this.reasons;
  healthChecks = () => this.checks;
  certificates = () => this.shownCertificates;
  watched = (owner: string) => this.known.get(owner);
  drainingSince = () => this.#drainingSince;

  drain(delayMs?: number): void {
    this.#drainingSince = Date.now();
    this.#isClosed = delayMs === 0;
  }

  acceptsConnections = () => !this.#isClosed;

  undrain(): void {
    this.#drainingSince = undefined;
    this.#isClosed = false;
  }
}

/** Keeps versions in memory; applying fails when `refusal` says why. */
export class SampleDesk implements ConfigurationDesk {
  readonly pushes: ConfigurationPush[] = [];
  refusal: string | undefined;
  #resources: readonly Resource[] = [];
  #version = 0;

  constructor(yaml = SAMPLE_YAML) {
    this.#accept(yaml, false);
  }

  async current(): Promise<CurrentConfiguration> {
    const hash = stateHash(this.#resources);
    return {
      epoch: "5a3f01c2-0000",
      version: this.#version,
      hash,
      committedAtMs: 1_772_015_280_000,
      source: "init",
      resources: this.#resources,
    };
  }

  async head(): Promise<Snapshot> {
    const { epoch, version } = await this.current();
    return createSnapshot({ epoch, version, resources: this.#resources });
  }

  async edit(edit: ConfigurationEdit, { dryRun }: ChangeTerms): Promise<ConfigurationChange> {
    const delta = effectiveDelta(this.#resources, await edit(await this.head()));
    const change = this.#accept(renderDocument(applyDelta(this.#resources, delta)), dryRun);
    return change.outcome === "accepted" ? { ...change, delta } : change;
  }

  async push(push: ConfigurationPush): Promise<ConfigurationChange> {
    this.pushes.push(push);
    const { expectedVersion: expected } = push;
    if (expected !== undefined && expected !== this.#version) throw new RunwayError("versionConflict");
    return this.#accept(push.yaml, push.dryRun);
  }

  reload(): Promise<ConfigurationChange> {
    return this.push({ yaml: renderDocument(this.#resources), author: "test", dryRun: false });
  }

  #accept(yaml: string, dryRun: boolean): ConfigurationChange {
    const timestampMs = Date.now();
    const document = parseDocument(plainLanguage, yaml);
    if (!document.ok) return { outcome: "invalid", timestampMs, problems: document.problems };
    if (this.refusal !== undefined)
      return {
        outcome: "refused",
        timestampMs,
        problems: [{ path: "", kind: "listener", id: "http", message: this.refusal }],
      };
    const resources = toResources(document.value);
    const changes = difference(this.#resources, resources).map(describeChange);
    const version = this.#version + (changes.length > 0 ? 1 : 0);
    if (!dryRun) [this.#resources, this.#version] = [resources, version];
    return { outcome: "accepted", timestampMs, changes, version, hash: stateHash(resources) };
  }
}

export class SampleFleet implements FleetView {
  readonly members: NodeReport[];
  missing: string[] = [];

  constructor(...members: NodeReport[]) {
    this.members = members;
  }

  nodes = () => this.members;

  forget(nodeId: string): "forgotten" | "unknown" | "connected" {
    const index = this.members.findIndex((node) => node.nodeId === nodeId);
    if (index < 0) return "unknown";
    if (this.members[index]!.status === "connected") return "connected";
    this.members.splice(index, 1);
    return "forgotten";
  }

  /** Answers what it was asked, unless the node is not there. */
  async call(nodeId: string, name: string, params: JsonObject): Promise<Json> {
    const node = this.members.find((member) => member.nodeId === nodeId);
    if (node === undefined) throw new RunwayError("notFound", `No node "${nodeId}" is known.`);
    if (node.status !== "connected") throw new RunwayError("nodeNotConnected", `Node "${nodeId}" is ${node.status}.`);
    return { node_id: nodeId, asked: name, ...params };
  }

  async waitApplied(): Promise<FleetProgress> {
    const applied = this.members.map(({ nodeId }) => nodeId).filter((id) => !this.missing.includes(id));
    const missing = this.missing.map((nodeId) => ({ nodeId, why: "pending", detail: "no answer in time" }) as const);
    return { applied, missing, slowest: { nodeId: applied.at(-1) ?? "", afterMs: 12.5 } };
  }
}

export function sampleNode(nodeId: string, report: Partial<NodeReport> = {}): NodeReport {
  return {
    nodeId,
    hostname: "host-1",
    version: "0.1.0",
    status: "connected",
    configVersion: 1,
    configHash: 18_446_744_073_709_551_615n,
    inSync: true,
    lagVersions: 0,
    isLate: false,
    lastHeartbeatMs: 1_772_015_405_000,
    connectedAtMs: 1_772_015_400_000,
    address: "10.0.0.7:51234",
    labels: {},
    capabilities: ["snapshot.v1"],
    plugins: {},
    leftOut: [],
    transport: "grpc",
    ...report,
  };
}

export const SAMPLE_DATA_PLANE: DataPlaneStatus = {
  nodeId: "edge-1",
  cpAddress: "cp.example.com:9443",
  connected: true,
  epoch: "5a3f01c2-0000",
  configVersion: 3,
  configHash: 12_345_678_901_234_567n,
  hasConfig: true,
  peer: "runway",
};

/** A node that runs one route and has a log of nothing. */
class SampleControl implements NodeControl {
  readonly gateway: GatewayView;
  readonly logLevel: LogLevelControl = {
    configured: "info",
    override: undefined,
    set(level: LogLevel, forMs: number) {
      Object.assign(this, { override: { level, untilMs: 1_772_015_400_000 + forMs } });
    },
    reset() {
      Object.assign(this, { override: undefined });
    },
  };

  constructor(gateway: GatewayView) {
    this.gateway = gateway;
  }

  about = () => ({ node_id: "edge-1", runway_version: "0.1.0" });
  process = () => ({ uptimeSeconds: 60, memoryBytes: 100_000_000 });
  running = () => ({
    version: { epoch: "5a3f01c2-0000", number: 3, hash: 255n },
    resources: [
      { kind: "route", id: "api", spec: { path: "/api" } },
      { kind: "settings", id: "jwt", spec: { secret: "${env:JWT}" } },
    ],
    redact: (resource: Resource) => ({ ...resource, spec: { hidden: true } }),
  });
  now = () => Date.now();
}

/** The parts of `AdminViews` that all roles share. */
export function sharedViews(gateway: GatewayView = new SampleGateway()) {
  const metrics = { contentType: "text/plain; version=0.0.4", expose: async () => "runway_up 1\n" };
  const control = new SampleControl(gateway);
  const history = new ReloadHistory();
  return { version: "0.1.0", clock: systemClock, gateway, metrics, history, control, language: plainLanguage };
}

/** The rest of what a control plane has: a log and an audit log that hold nothing. */
export function controlPlaneViews(desk = new SampleDesk(), fleet = new SampleFleet()) {
  return {
    role: "control_plane",
    configuration: desk,
    reload: desk,
    fleet,
    tokens: new SampleTokens(),
    revocations: new SampleRevocations(),
    joinTokens: { add: async () => {}, list: async () => [], revoke: async () => false },
    joining: undefined,
    revisions: { get: async () => undefined, delta: async () => undefined, history: async () => [] },
    audit: { entries: async () => [] },
  } as const;
}

/** Keeps what was revoked in memory. */
class SampleRevocations {
  readonly #revocations: Revocation[] = [];

  async add(revocations: readonly Revocation[]): Promise<void> {
    this.#revocations.unshift(...revocations);
  }

  async list(): Promise<readonly Revocation[]> {
    return this.#revocations;
  }

  async lift(kind: string, value: string): Promise<boolean> {
    const index = this.#revocations.findIndex((other) => other.kind === kind && other.value === value);
    return index >= 0 && this.#revocations.splice(index, 1).length > 0;
  }
}

/** Keeps tokens in memory. */
class SampleTokens implements TokenStore {
  readonly #tokens = new Map<string, Token>();

  async add(token: Token): Promise<void> {
    this.#tokens.set(token.id, token);
  }

  async list(): Promise<readonly Token[]> {
    return [...this.#tokens.values()].reverse();
  }

  async find(secretHash: string): Promise<Token | undefined> {
    return this.#tokens.values().find((token) => token.secretHash === secretHash);
  }

  async revoke(id: string): Promise<Token | undefined> {
    const token = this.#tokens.get(id);
    if (token === undefined) return undefined;
    this.#tokens.set(id, { ...token, revokedAt: token.revokedAt ?? Date.now() });
    return this.#tokens.get(id);
  }
}

export interface StartOptions {
  /** What differs from the defaults, as written in a file; the port is the system's choice. */
  readonly admin?: Readonly<Record<string, unknown>>;
  readonly deeds?: AdminDeed[];
}

/** A started admin API on a port of the system's choice, and its URL. */
export async function startAdmin(
  views: AdminViews,
  { admin = {}, deeds = [] }: StartOptions = {},
): Promise<AdminServer & { readonly url: string }> {
  const settings = AdminSettings.parse({ port: 0, ...admin });
  const server = new AdminServer({
    settings,
    role: views.role,
    operations: adminOperations(views),
    gate: new Gate({
      isOpen: isOpen(settings),
      tokens: views.role === "control_plane" ? [views.tokens] : [],
      certificateRoles: settings.tls.roles,
      clock: systemClock,
    }),
    record: async (deed) => void deeds.push(deed),
    clock: systemClock,
    logger: silentLogger,
  });
  await server.start();
  const scheme = settings.tls.cert_file === "" ? "http" : "https";
  return Object.assign(server, { url: `${scheme}://127.0.0.1:${server.address().port}` });
}
