import { hostname } from "node:os";
import type { NodeControl, RunningConfiguration } from "../../admin/node-control.ts";
import { Redaction } from "../../config/redaction.ts";
import type { Gateway } from "./gateway.ts";
import type { GatewayAdminView } from "./gateway-admin-view.ts";
import type { NodeContext } from "./node-context.ts";

export interface NodeControlParts {
  readonly gateway: Gateway;
  readonly view: GatewayAdminView;
  /** Of a data plane. */
  readonly nodeId?: string;
  /** Of what runs, where a store counts. */
  readonly version?: () => RunningConfiguration["version"];
  readonly resync?: () => void;
  readonly renew?: (() => void) | undefined;
}

/** What is asked of this node, by whatever way. */
export function createNodeControl(context: NodeContext, parts: NodeControlParts): NodeControl {
  const { loaded, language, logLevel, clock, version: program } = context;
  const { gateway, view, nodeId, version, resync, renew } = parts;
  const redaction = new Redaction(language);
  return {
    gateway: view,
    logLevel,
    about: () => ({
      role: loaded.settings.cluster.role,
      node_id: nodeId ?? null,
      hostname: hostname(),
      runway_version: program,
      plugins: Object.fromEntries(language.plugins.map(({ name, version = program }) => [name, version])),
    }),
    process: () => ({ uptimeSeconds: Math.floor(process.uptime()), memoryBytes: process.memoryUsage.rss() }),
    running() {
      const counted = version?.();
      return {
        resources: gateway.resources,
        redact: (one) => redaction.resource(one),
        ...(counted === undefined ? {} : { version: counted }),
      };
    },
    now: () => clock.now(),
    ...(resync === undefined ? {} : { resync }),
    renew,
  };
}
