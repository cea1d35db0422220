import type { HealthCheck } from "../../admin/gateway-view.ts";
import { toResources } from "../../config/document.ts";
import { renderOriginalYaml } from "../../config/original-peer.ts";
import type { Revision } from "../../config/revision-log.ts";
import type { Store } from "../../config/store.ts";
import type { Service } from "../../core/service.ts";
import type { FleetSource } from "../../sync/edition.ts";
import type { Fleet } from "../../sync/fleet.ts";
import { FleetServer } from "../../sync/fleet-server.ts";
import type { JoinDoor } from "../../sync/join/join-acceptor.ts";
import type { Stamp } from "../../sync/messages.ts";
import { adminService } from "./admin-service.ts";
import { ControlPlaneDesk } from "./control-plane-desk.ts";
import { createGateway } from "./create-gateway.ts";
import { createStore, openStore } from "./create-store.ts";
import { readFileAgain, reloadForSignal, requireAccepted } from "./file-reload.ts";
import type { FleetAdminView } from "./fleet-admin-view.ts";
import { openFleetSide } from "./fleet-side.ts";
import { GatewayAdminView } from "./gateway-admin-view.ts";
import { HistoryKeeper } from "./history-keeper.ts";
import type { NodeContext } from "./node-context.ts";
import { createNodeControl } from "./node-control.ts";
import { recentSteps } from "./recent-steps.ts";
import { RevisionFollower } from "./revision-follower.ts";
import { createRoleService, type RoleService } from "./role-service.ts";

/** Owns the configuration, gives it to data planes, and proxies too when it has listeners. */
export async function createControlPlane(context: NodeContext): Promise<RoleService> {
  const { language, loaded, clock, history, logger, meter } = context;
  const { postgres } = loaded.settings.cluster.control_plane;
  const store = await createStore(context);
  // Opened here, since a store of files also makes the directory that the ledger of identities is kept in.
  await openStore(store, context);
  const gateway = createGateway(context);
  const { fleet, shown, services, revocations, joining, flushed } = await openFleetSide(context, store);
  const publish = (revision: Revision, change: FleetSource["change"]) =>
    fleet.publish({ ...publicationOf(revision), change });
  const readFile = () => readFileAgain(context);
  const desk = new ControlPlaneDesk({
    log: store.revisions,
    isShared: store.fleet !== undefined,
    ...{ language, gateway, readFile, publish, history, clock, logger },
  });
  const follower = new RevisionFollower({
    store,
    adopt: (revision) => desk.adopt(revision),
    lookAlso: () => revocations.look(),
    pollIntervalMs: postgres.poll_interval,
    ...{ clock, logger, meter },
  });
  const view = new GatewayAdminView(gateway, () => [storeCheck(follower)]);
  const control = createNodeControl(context, { gateway, view, version: () => desk.published });
  const configuration: Service = {
    name: "configuration",
    async start() {
      requireAccepted(await desk.open(toResources(loaded.document)));
      fleet.remember(await recentSteps(store.revisions));
    },
    async stop() {
      await flushed();
      await store.close();
    },
  };
  const { tokens, joinTokens, revisions, audit } = store;
  const views = {
    ...{ reload: desk, configuration: desk, fleet: shown, gateway: view, control },
    ...{ language, tokens, revisions, audit, revocations, joinTokens, joining },
  };
  const admin = adminService(context, { role: "control_plane", ...views }, store);
  return createRoleService({
    name: "control_plane",
    services: [
      ...[gateway, configuration, follower, createKeeper(context, store, () => oldestRunning(shown, fleet.newest))],
      ...services,
      createFleetServer(context, fleet, joining),
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

function publicationOf(revision: Revision): FleetSource {
  const { source, committedAt: timestampMs, resources } = revision;
  return { snapshot: revision, source, timestampMs, originalYaml: () => renderOriginalYaml(resources) };
}

function createFleetServer(
  { loaded, clock, logger, meter }: NodeContext,
  fleet: Fleet,
  joining: JoinDoor | undefined,
): FleetServer {
  const { address, tls } = loaded.settings.cluster.control_plane;
  return new FleetServer({
    address,
    tls: { certFile: tls.cert_file, keyFile: tls.key_file, clientCaFile: tls.client_ca_file },
    ...{ fleet, joining, clock, logger, meter },
    authoritiesChanged: (authorities) => void fleet.enforceAuthorities(authorities),
  });
}
