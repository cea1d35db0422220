import { join } from "node:path";
import { NODE_PREFIX } from "../../admin/node-calls.ts";
import type { FleetRegistry } from "../../config/fleet-registry.ts";
import type { Store } from "../../config/store.ts";
import type { Service } from "../../core/service.ts";
import { watchFiles } from "../../core/watched-files.ts";
import { FileIdentityLedger } from "../../sync/file-identity-ledger.ts";
import { Fleet, type FleetOptions } from "../../sync/fleet.ts";
import { readNodeId } from "../../sync/node-id.ts";
import type { IdentityLedger } from "../../sync/node-identity.ts";
import { RevokedCertificates } from "../../sync/revoked-certificates.ts";
import { NodeAuthority } from "../pki/node-authority.ts";
import { CallExchange, type CallExchangeOptions } from "./call-exchange.ts";
import { FleetAdminView } from "./fleet-admin-view.ts";
import { FleetExchange } from "./fleet-exchange.ts";
import { identityMethods, JoinDesk } from "./join-desk.ts";
import type { NodeContext } from "./node-context.ts";
import { RevocationDesk } from "./revocation-desk.ts";
import { SharedIdentityLedger } from "./shared-identity-ledger.ts";

const DEFAULT_TRUST_DOMAIN = "runway";

/** The fleet of a control plane, and what decides who belongs to it. */
export interface FleetSide {
  readonly fleet: Fleet;
  readonly shown: FleetAdminView;
  /** What is exchanged with the other control planes of the store; none where there can be none. */
  readonly services: readonly Service[];
  readonly revocations: RevocationDesk;
  /** Undefined where this control plane signs no certificates. */
  readonly joining: JoinDesk | undefined;
  /** Resolves when every claim to a node id is kept. */
  flushed(): Promise<void>;
}

/** Knows who owns which node id and what was revoked before any node is let in. The store is open. */
export async function openFleetSide(context: NodeContext, store: Store): Promise<FleetSide> {
  const { loaded, logger } = context;
  const { data_dir: directory } = loaded.settings.cluster.control_plane;
  const controlPlaneId = await readNodeId(directory, "");
  const shared = store.fleet && (await openExchange(context, store.fleet, controlPlaneId));
  const exchange = shared?.service;
  const ledger = shared?.ledger ?? (await FileIdentityLedger.open(join(directory, "identities.json"), logger));
  const revoked = new RevokedCertificates();
  const otherAddresses = () => exchange?.addresses() ?? [];
  const joining = await openJoining(context, store, { ledger, revoked });
  const methods = identityMethods(joining);
  const fleet = createFleet(context, { ledger, controlPlaneId, revoked, methods, otherAddresses });
  const enforce = () => fleet.enforceRevocations();
  const revocations = new RevocationDesk({ list: store.revocations, revoked, enforce, logger });
  await revocations.look();
  const calls = createCallExchange(context, { store, fleet, controlPlaneId });
  const shown = new FleetAdminView(fleet, exchange, calls);
  exchange?.follow({ nodes: () => shown.ownNodes(), forget: (nodeId) => void fleet.forget(nodeId) });
  const flushed = async () => (ledger instanceof FileIdentityLedger ? ledger.flushed() : undefined);
  const watch = joining && watchAuthority(context, fleet);
  const services = [exchange, calls, watch].filter((service) => service !== undefined);
  return { fleet, shown, services, revocations, joining, flushed };
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

/** @throws RunwayError configurationInvalid, when nodes that join could not know this control plane */
async function openJoining(
  { loaded, clock, logger }: NodeContext,
  { joinTokens: tokens }: Store,
  { ledger, revoked }: { readonly ledger: IdentityLedger; readonly revoked: RevokedCertificates },
): Promise<JoinDesk | undefined> {
  const { ca, tls, trust_domain: trustDomain } = loaded.settings.cluster.control_plane;
  if (ca.cert_file === "") return undefined;
  const authority = new NodeAuthority({
    ...{ certFile: ca.cert_file, keyFile: ca.key_file, serverCertFile: tls.cert_file, lifetimeMs: ca.lifetime },
    ...{ trustDomain: trustDomain === "" ? DEFAULT_TRUST_DOMAIN : trustDomain, now: () => clock.now() },
  });
  await authority.fingerprint();
  const isTaken = (nodeId: string) => ledger.ownerOf(nodeId) !== undefined;
  return new JoinDesk({ tokens, authority, isTaken, revokedAt: (nodeId) => revoked.nodeRevokedAt(nodeId), logger });
}

/** When the authority is another, or nodes are to trust others, they are asked to renew. */
function watchAuthority({ loaded, clock, logger }: NodeContext, fleet: Fleet): Service {
  const { cert_file, key_file } = loaded.settings.cluster.control_plane.ca;
  let stopWatching = (): void => {};
  return {
    name: "authority",
    async start() {
      stopWatching = watchFiles([cert_file, key_file], clock, () => {
        logger.info("The authority of nodes has changed; they are asked to renew their certificates", {
          file: cert_file,
        });
        fleet.notify(`${NODE_PREFIX}renew`, {});
      });
    },
    async stop() {
      stopWatching();
    },
  };
}

interface FleetParts {
  readonly ledger: IdentityLedger;
  readonly controlPlaneId: string;
  readonly revoked: RevokedCertificates;
  readonly methods: FleetOptions["methods"] & object;
  readonly otherAddresses: () => readonly string[];
}

function createFleet({ loaded, language, version, clock, logger, meter }: NodeContext, parts: FleetParts): Fleet {
  const { revoked, ...own } = parts;
  const {
    trust_domain: trustDomain,
    compatibility,
    alarm_after: behindLimitMs,
  } = loaded.settings.cluster.control_plane;
  return new Fleet({
    ...own,
    ...{ language, compatibility, behindLimitMs },
    version,
    trustDomain: trustDomain === "" ? undefined : trustDomain,
    revocationOf: (nodeId, certificate) => revoked.faultOf(nodeId, certificate),
    clock,
    random: Math.random,
    logger,
    meter,
  });
}
