import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { toResources } from "../../config/document.ts";
import { renderOriginalYaml } from "../../config/original-peer.ts";
import type { Revision } from "../../config/revision-log.ts";
import type { Service } from "../../core/service.ts";
import { SqliteStore } from "../../store/sqlite/sqlite-store.ts";
import { FileIdentityLedger } from "../../sync/file-identity-ledger.ts";
import { Fleet } from "../../sync/fleet.ts";
import { FleetServer } from "../../sync/fleet-server.ts";
import type { PublicationSource } from "../../sync/publication.ts";
import { adminService } from "./admin-service.ts";
import { ControlPlaneDesk } from "./control-plane-desk.ts";
import { createGateway } from "./create-gateway.ts";
import { readFileAgain, reloadForSignal, requireAccepted } from "./file-reload.ts";
import { FleetAdminView } from "./fleet-admin-view.ts";
import { GatewayAdminView } from "./gateway-admin-view.ts";
import type { NodeContext } from "./node-context.ts";
import { createRoleService, type RoleService } from "./role-service.ts";

/** Owns the configuration, gives it to data planes, and proxies too when it has listeners. */
export async function createControlPlane(context: NodeContext): Promise<RoleService> {
  const { language, loaded, clock, env, history, logger } = context;
  const { data_dir: directory } = loaded.settings.cluster.control_plane;
  const store = new SqliteStore({ directory, clock });
  // Opened here, since the store also makes the directory that the ledger of identities is kept in.
  await store.open();
  const ledger = await FileIdentityLedger.open(join(directory, "identities.json"), logger);
  const gateway = createGateway(context);
  const fleet = createFleet(context, ledger);
  const publish = (revision: Revision) => fleet.publish(publicationOf(revision));
  const readFile = () => readFileAgain(context);
  const desk = new ControlPlaneDesk({
    language,
    log: store.revisions,
    gateway,
    readFile,
    env,
    publish,
    history,
    clock,
    logger,
  });
  const view = new GatewayAdminView(gateway);
  const configuration: Service = {
    name: "configuration",
    start: async () => requireAccepted(await desk.open(toResources(loaded.document))),
    async stop() {
      await ledger.flushed();
      await store.close();
    },
  };
  const views = { reload: desk, configuration: desk, fleet: new FleetAdminView(fleet), gateway: view };
  const admin = adminService(context, { role: "control_plane", ...views });
  return createRoleService({
    name: "control_plane",
    services: [gateway, configuration, createFleetServer(context, fleet)],
    admin,
    gateway,
    hangUp: () => void reloadForSignal(context, () => desk.reload()),
  });
}

function publicationOf(revision: Revision): PublicationSource {
  const { source, committedAt: timestampMs, resources } = revision;
  return { snapshot: revision, source, timestampMs, originalYaml: () => renderOriginalYaml(resources) };
}

function createFleet({ loaded, version, clock, logger, meter }: NodeContext, ledger: FileIdentityLedger): Fleet {
  const { trust_domain: trustDomain } = loaded.settings.cluster.control_plane;
  return new Fleet({
    controlPlaneId: randomUUID(),
    version,
    ledger,
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
