import type { AuditLog } from "../config/audit-log.ts";
import type { JoinTokenStore } from "../config/join-token-store.ts";
import type { Language } from "../config/language.ts";
import { Redaction } from "../config/redaction.ts";
import type { RevisionLog } from "../config/revision-log.ts";
import type { RevocationList } from "../config/revocation-list.ts";
import type { TokenStore } from "../config/token-store.ts";
import type { Clock } from "../core/clock.ts";
import { type Collection, collectionsOf } from "./collection.ts";
import type { ConfigurationDesk } from "./configuration-desk.ts";
import type { DataPlaneView } from "./data-plane-view.ts";
import type { FleetView } from "./fleet-view.ts";
import type { GatewayView } from "./gateway-view.ts";
import type { JoiningView } from "./joining-view.ts";
import type { MetricsView } from "./metrics-view.ts";
import type { NodeControl } from "./node-control.ts";
import type { Operation } from "./operation.ts";
import { auditOperations } from "./operations/audit.ts";
import { certificateOperations } from "./operations/certificates.ts";
import { changeOperations } from "./operations/changes.ts";
import { dataPlaneOperations, fleetOperations } from "./operations/cluster.ts";
import { configurationOperations } from "./operations/configuration.ts";
import { credentialOperations } from "./operations/credentials.ts";
import { drainOperations } from "./operations/drain.ts";
import { gatewayOperations } from "./operations/gateway.ts";
import { healthOperations } from "./operations/health.ts";
import { joinTokenOperations } from "./operations/join-tokens.ts";
import { metricsOperations } from "./operations/metrics.ts";
import { nestedOperations } from "./operations/nested-resources.ts";
import { ownNodeOperations, remoteNodeOperations } from "./operations/node.ts";
import { referenceOperations } from "./operations/reference.ts";
import { reloadOperations } from "./operations/reload.ts";
import { resourceOperations } from "./operations/resources.ts";
import { revocationOperations } from "./operations/revocations.ts";
import { schemaOperations } from "./operations/schemas.ts";
import { targetOperations } from "./operations/targets.ts";
import { identityOperations, tokenOperations } from "./operations/tokens.ts";
import { versionOperations } from "./operations/versions.ts";
import type { ReloadDesk } from "./reload-desk.ts";
import type { ReloadHistory } from "./reload-history.ts";

/** What the admin API of each role speaks about; the wiring of the role fills it. */
export type AdminViews = {
  /** Of the program. */
  readonly version: string;
  readonly clock: Clock;
  readonly gateway: GatewayView;
  readonly metrics: MetricsView;
  readonly history: ReloadHistory;
  readonly control: NodeControl;
  readonly language: Language;
} & (
  | { readonly role: "standalone"; readonly reload: ReloadDesk }
  | {
      readonly role: "control_plane";
      readonly reload: ReloadDesk;
      readonly configuration: ConfigurationDesk;
      readonly fleet: FleetView;
      readonly revisions: Pick<RevisionLog, "get" | "delta" | "history">;
      readonly audit: Pick<AuditLog, "entries">;
      readonly tokens: TokenStore;
      readonly revocations: Omit<RevocationList, "mark">;
      readonly joinTokens: Pick<JoinTokenStore, "add" | "list" | "revoke">;
      /** Undefined where nodes cannot join. */
      readonly joining: JoiningView | undefined;
    }
  | { readonly role: "data_plane"; readonly node: DataPlaneView }
);

/** Every operation that exists in the role of `views`. */
export function adminOperations(views: AdminViews): Operation[] {
  const { role, version, clock, gateway, metrics, history, language } = views;
  const redaction = new Redaction(language);
  const startedMs = clock.monotonicMs();
  const health = healthOperations({
    role,
    version,
    gateway,
    hasConfiguration: () => gateway.configuration() !== undefined,
    now: () => clock.now(),
    uptimeMs: () => clock.monotonicMs() - startedMs,
  });
  const collections = role === "control_plane" ? collectionsOf(language) : [];
  const operations: Operation[] = [
    ...health,
    ...identityOperations,
    ...gatewayOperations(gateway),
    ...targetOperations(gateway, redaction),
    ...certificateOperations(gateway, () => clock.now()),
    ...drainOperations(gateway, () => clock.now()),
    ...ownNodeOperations(views.control, role),
    ...metricsOperations(metrics),
    ...reloadOperations(views.role === "data_plane" ? undefined : views.reload, history),
    ...(views.role === "control_plane" ? controlPlaneOperations(views, collections, redaction) : []),
    ...(views.role === "data_plane" ? dataPlaneOperations(views.node) : []),
    ...referenceOperations(() => ({ role, operations, collections })),
  ].filter(({ roles }) => roles.includes(role));
  return operations;
}

/** Operations of whoever owns the configuration. */
function controlPlaneOperations(
  views: Extract<AdminViews, { role: "control_plane" }>,
  collections: readonly Collection[],
  redaction: Redaction,
): Operation[] {
  const { configuration: desk, fleet, tokens, clock, revisions, audit } = views;
  const sources = { desk, fleet, redaction };
  return [
    ...configurationOperations(sources),
    ...collections.flatMap((collection) => [
      ...resourceOperations(collection, sources),
      ...nestedOperations(collection, views.language, sources),
      ...credentialOperations(collection, views.language, sources),
    ]),
    ...schemaOperations(collections),
    ...changeOperations(collections, sources),
    ...versionOperations(revisions, sources),
    ...fleetOperations(fleet),
    ...remoteNodeOperations(fleet),
    ...tokenOperations(tokens, clock),
    ...revocationOperations(views.revocations, fleet, clock),
    ...joinTokenOperations(views.joinTokens, views.joining, clock),
    ...auditOperations(audit),
  ];
}
