import { join } from "node:path";
import type { HealthCheck } from "../../admin/gateway-view.ts";
import { toResources } from "../../config/document.ts";
import type { FleetRegistry } from "../../config/fleet-registry.ts";
import { renderOriginalYaml } from "../../config/original-peer.ts";
import type { Revision } from "../../config/revision-log.ts";
import type { Store } from "../../config/store.ts";
import type { Service } from "../../core/service.ts";
import { FileIdentityLedger } from "../../sync/file-identity-ledger.ts";
import { Fleet, type FleetSource } from "../../sync/fleet.ts";
import { FleetServer } from "../../sync/fleet-server.ts";
import type { Stamp } from "../../sync/messages.ts";
import { readNodeId } from "../../sync/node-id.ts";
import type { IdentityLedger } from "../../sync/node-identity.ts";
import { adminService } from "./admin-service.ts";
import { CallExchange, type CallExchangeOptions } from "./call-exchange.ts";
import { ControlPlaneDesk } from "./control-plane-desk.ts";
import { createGateway } from "./create-gateway.ts";
import { createStore, openStore } from "./create-store.ts";
import { readFileAgain, reloadForSignal, requireAccepted } from "./file-reload.ts";
import { FleetAdminView } from "./fleet-admin-view.ts";
import { FleetExchange } from "./fleet-exchange.ts";
import { GatewayAdminView } from "./gateway-admin-view.ts";
import { HistoryKeeper } from "./history-keeper.ts";
import type { NodeContext } from "./node-context.ts";
import { createNodeControl } from "./node-control.ts";
import { RevisionFollower } from "./revision-follower.ts";
import { createRoleService, type RoleService } from "./role-service.ts";
import { SharedIdentityLedger } from "./shared-identity-ledger.ts";

/** Owns the configuration, gives it to data planes, and proxies too when it has listeners. */
export async function createControlPlane(context: NodeContext): Promise<RoleService> {
  const { language, loaded, clock, env, history, logger, meter } = context;
  const { data_dir: directory, postgres } = loaded.settings.cluster.control_plane;
  const store = await createStore(context);
  // Opened here, since a store of files also makes the directory that the ledger of identities is kept in.
  await openStore(store, context);
  const controlPlaneId = await readNodeId(directory, "");
  const exchange = store.fleet && (await openExchange(context, store.fleet, controlPlaneId));
  const ledger = exchange?.ledger ?? (await FileIdentityLedger.open(join(directory, "identities.json"), logger));
  const gateway = createGateway(context);
  const fleet = createFleet(context, ledger, controlPlaneId, () => exchange?.service.addresses() ?? []);
  const calls = createCallExchange(context, { store, fleet, controlPlaneId });
  const shown = new FleetAdminView(fleet, exchange?.service, calls);
  exchange?.service.follow({ nodes: () => shown.ownNodes(), forget: (nodeId) => void fleet.forget(nodeId) });
  const publish = (revision: Revision, change: FleetSource["change"]) =>
    fleet.publish({ ...publicationOf(revision), change });
  const readFile = () => readFileAgain(context);
  const desk = new ControlPlaneDesk({
    log: store.revisions,
    isShared: store.fleet !== undefined,
    ...{ language, gateway, readFile, env, publish, history, clock, logger },
  });
  const follower = new RevisionFollower({
    store,
    adopt: (revision) => desk.adopt(revision),
    pollIntervalMs: postgres.poll_interval,
    ...{ clock, logger, meter },
  });
  const view = new GatewayAdminView(gateway, () => [storeCheck(follower)]);
  const control = createNodeControl(context, { gateway, view, version: () => desk.published });
  const configuration: Service = {
    name: "configuration",
    start: async () => requireAccepted(await desk.open(toResources(loaded.document))),
    async stop() {
      if (ledger instanceof FileIdentityLedger) await ledger.flushed();
      await store.close();
    },
  };
  const { tokens, revisions, audit } = store;
  const views = {
    ...{ reload: desk, configuration: desk, fleet: shown, gateway: view, control },
    ...{ language, tokens, revisions, audit },
  };
  const admin = adminService(context, { role: "control_plane", ...views }, store);
  return createRoleService({
    name: "control_plane",
    services: [
      ...[gateway, configuration, follower, createKeeper(context, store, () => oldestRunning(shown, fleet.newest))],
      ...[exchange?.service, calls].filter((service) => service !== undefined),
      createFleetServer(context, fleet),
    ],
    admin,
    gateway,
    hangUp: () => void reloadForSignal(context, () => desk.reload()),
  });
}

/** Nodes are served on from memory, so a store that is away is for people to look at. */
function storeCheck({ absence }: RevisionFollower): HealthCheck {
  if (absence === undefined) return { name: "store", status: "ok" };
  return { name: "store", status: "degraded", detail: `${absence} Changes are refused until it is there again.` };
}

function createKeeper({ loaded, clock, logger }: NodeContext, { revisions: log }: Store, floor: () => number): Service {
  const { versions, age: ageMs } = loaded.settings.cluster.control_plane.history;
  return new HistoryKeeper({ log, retention: { versions, ageMs }, floor, clock, logger });
}

/** Of the nodes that are connected anywhere; what is newer is kept for them. */
function oldestRunning(fleet: FleetAdminView, newest: Stamp | undefined): number {
  const live = fleet.nodes().filter(({ status, configVersion }) => status === "connected" && configVersion > 0);
  return Math.min(...live.map(({ configVersion }) => configVersion), newest?.version ?? 0);
}

async function openExchange(context: NodeContext, registry: FleetRegistry, id: string) {
  const { clock, logger, loaded } = context;
  const { advertised_address: address } = loaded.settings.cluster.control_plane;
  const ledger = new SharedIdentityLedger();
  const service = new FleetExchange({ registry, controlPlane: { id, address }, ledger, clock, logger });
  await service.open();
  return { service, ledger };
}

/** Where the store has one control plane only, there is nobody to exchange calls with. */
function createCallExchange(
  { clock, logger }: NodeContext,
  { store, fleet, controlPlaneId }: { store: Store; fleet: Fleet; controlPlaneId: string },
): CallExchange | undefined {
  if (store.calls === undefined) return undefined;
  const callHere: CallExchangeOptions["callHere"] = (...call) => fleet.call(...call);
  return new CallExchange({ board: store.calls, controlPlaneId, callHere, clock, logger });
}

function publicationOf(revision: Revision): FleetSource {
  const { source, committedAt: timestampMs, resources } = revision;
  return { snapshot: revision, source, timestampMs, originalYaml: () => renderOriginalYaml(resources) };
}

function createFleet(
  { loaded, version, clock, logger, meter }: NodeContext,
  ledger: IdentityLedger,
  controlPlaneId: string,
  otherAddresses: () => readonly string[],
): Fleet {
  const { trust_domain: trustDomain } = loaded.settings.cluster.control_plane;
  return new Fleet({
    controlPlaneId,
    version,
    ledger,
    otherAddresses,
    trustDomain: trustDomain === "" ? undefined : trustDomain,
    clock,
    random: Math.random,
    logger,
    meter,
  });
}

function createFleetServer({ loaded, clock, logger, meter }: NodeContext, fleet: Fleet): FleetServer {
  const { address, tls } = loaded.settings.cluster.control_plane;
  return new FleetServer({
    address,
    tls: { certFile: tls.cert_file, keyFile: tls.key_file, clientCaFile: tls.client_ca_file },
    fleet,
    clock,
    logger,
    meter,
  });
}
