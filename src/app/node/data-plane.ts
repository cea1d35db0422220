import { hostname } from "node:os";
import type { HealthCheck } from "../../admin/gateway-view.ts";
import type { NodeControl } from "../../admin/node-control.ts";
import type { Language } from "../../config/language.ts";
import type { Service } from "../../core/service.ts";
import { watchFiles } from "../../core/watched-files.ts";
import { Agent } from "../../sync/agent.ts";
import { NodeCache } from "../../sync/node-cache.ts";
import { readNodeId } from "../../sync/node-id.ts";
import { describeSetAside } from "../../sync/set-aside.ts";
import { IdentityFiles } from "../pki/identity-files.ts";
import { adminService } from "./admin-service.ts";
import { startFromCache } from "./cached-start.ts";
import { certificateExpiry } from "./certificate-expiry.ts";
import { CertificateRenewal } from "./certificate-renewal.ts";
import { createGateway } from "./create-gateway.ts";
import { DataPlaneAdminView } from "./data-plane-admin-view.ts";
import type { Gateway } from "./gateway.ts";
import { countHealthyRoutes, GatewayAdminView } from "./gateway-admin-view.ts";
import type { NodeContext } from "./node-context.ts";
import { createNodeControl } from "./node-control.ts";
import { nodeMethods } from "./node-methods.ts";
import { NodeSink } from "./node-sink.ts";
import { createRoleService, type RoleService } from "./role-service.ts";
import { Survival } from "./survival.ts";

const SIGHUP_IS_IGNORED = "SIGHUP is ignored: configuration changes must go through the control plane";

/** Proxies with the configuration that a control plane gives it, and with the one on its disk until then. */
export async function createDataPlane(context: NodeContext): Promise<RoleService> {
  const { language, loaded, clock, logger } = context;
  const { data_plane: settings } = loaded.settings.cluster;
  const nodeId = await readNodeId(settings.cache_dir, settings.node_id);
  const gateway = createGateway(context);
  const keyFile = settings.tls.key_file;
  const cache = new NodeCache({ language, directory: settings.cache_dir, keyFile, clock, logger });
  const node = new DataPlaneAdminView(nodeId, settings.address);
  const view = new GatewayAdminView(gateway, () => [cacheCheck(cache)]);
  const renewal = createRenewal(context, node, cache);
  const control = createNodeControl(context, {
    ...{ gateway, view, nodeId },
    renew: renewal && (() => renewal.renewSoon()),
    version: () => node.version(),
    resync: () => node.resync(),
  });
  return createRoleService({
    name: "data_plane",
    services: [
      ...[gateway, clusterSide(context, { nodeId, gateway, cache, node, control })],
      ...(renewal === undefined ? [] : [renewal]),
    ],
    admin: adminService(context, { role: "data_plane", node, gateway: view, control }),
    gateway,
    hangUp: () => logger.warn(SIGHUP_IS_IGNORED),
  });
}

/** Undefined where somebody else sees to the node's certificate. */
function createRenewal(
  { loaded, clock, logger }: NodeContext,
  node: DataPlaneAdminView,
  dependent: NodeCache,
): CertificateRenewal | undefined {
  const { cert_file, ca_file, renew } = loaded.settings.cluster.data_plane.tls;
  if (!renew) return undefined;
  const files = new IdentityFiles(cert_file, ca_file);
  return new CertificateRenewal({
    ...{ files, dependent, clock, random: Math.random, logger },
    call: (method, params, options) => node.call(method, params, options),
  });
}

interface ClusterSide {
  readonly nodeId: string;
  readonly gateway: Gateway;
  readonly cache: NodeCache;
  readonly node: DataPlaneAdminView;
  readonly control: NodeControl;
}

/** First what the disk has, then the control plane: a node that starts again serves before it asks anybody. */
function clusterSide(context: NodeContext, { nodeId, gateway, cache, node, control }: ClusterSide): Service {
  const { language, loaded, history, clock, logger } = context;
  const survival = new Survival(cache, clock);
  let stopWatching = (): void => {};
  let agent: Agent | undefined;
  return {
    name: "cluster",
    async start() {
      await cache.open();
      // A key that cannot be read is no reason not to start.
      if (cache.hasKey)
        stopWatching = watchFiles(
          [loaded.settings.cluster.data_plane.tls.key_file],
          clock,
          () => void cache.keyChanged(),
        );
      const running = await startFromCache({ cache, gateway, survival, logger });
      await gateway.started();
      const sink = new NodeSink(
        { language, gateway, cache, survival, history, clock, logger },
        running?.resources ?? [],
      );
      agent = await createAgent(context, { nodeId, gateway, cache, control, sink, running });
      node.follow(agent);
      await agent.start();
    },
    async stop(deadline) {
      await agent?.stop(deadline);
      stopWatching();
      survival.stop();
      await cache.close(deadline);
    },
  };
}

type AgentParts = Omit<ClusterSide, "node"> & {
  readonly sink: NodeSink;
  readonly running: Awaited<ReturnType<typeof startFromCache>>;
};

/** The modules of gRPC are loaded here, when traffic is served already. */
async function createAgent(
  context: NodeContext,
  { nodeId, gateway, cache, control, sink, running }: AgentParts,
): Promise<Agent> {
  const { createConnector } = await import("../../sync/create-connector.ts");
  const { loaded, language, version, clock, logger, meter } = context;
  const { address, tls, labels, heartbeat_interval, retry_interval, ...way } = loaded.settings.cluster.data_plane;
  const { cert_file: certFile, key_file: keyFile, ca_file: caFile, server_name } = tls;
  const serverName = server_name === "" ? undefined : server_name;
  const proxy = way.proxy === "" ? undefined : new URL(way.proxy);
  return new Agent({
    ...{ nodeId, version, hostname: hostname(), labels, addresses: address, plugins: pluginVersions(language) },
    heartbeatIntervalMs: heartbeat_interval,
    retryIntervalMs: retry_interval,
    connector: createConnector({
      transport: way.transport,
      tls: { certFile, keyFile, caFile, serverName, proxy },
      clock,
    }),
    sink,
    running,
    methods: nodeMethods(control),
    takesDeltas: way.sync === "delta",
    ...{ clock, random: Math.random, logger, meter },
    status: () => ({
      ...trafficNumbers(gateway),
      uptimeSeconds: Math.floor(process.uptime()),
      memoryBytes: process.memoryUsage.rss(),
      certificateNotAfterMs: certificateExpiry(certFile),
      cacheError: cache.error,
    }),
  });
}

function pluginVersions({ plugins }: Language): Record<string, string> {
  return Object.fromEntries(plugins.map(({ name, version = "" }) => [name, version]));
}

function trafficNumbers({ supervisor, live }: Gateway) {
  const status = supervisor?.status();
  const latency = supervisor?.takeLatency();
  return {
    routes: live?.routes.length ?? 0,
    healthyRoutes: countHealthyRoutes(live),
    activeConnections: status?.activeConnections ?? 0,
    requestsTotal: status?.requestsTotal ?? 0,
    failuresTotal: status?.failuresTotal ?? 0,
    latencyP50Ms: latency?.p50Ms ?? 0,
    latencyP99Ms: latency?.p99Ms ?? 0,
    eventLoopLagP99Ms: status?.eventLoopLagP99Ms ?? 0,
  };
}

function cacheCheck(cache: NodeCache): HealthCheck {
  const setAside = cache.setAside().map(describeSetAside);
  const detail = [...(cache.error === "" ? [] : [cache.error]), ...setAside].join("; ");
  return detail === "" ? { name: "cache", status: "ok" } : { name: "cache", status: "degraded", detail };
}
