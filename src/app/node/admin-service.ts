import { Gate, type TokenLookup } from "../../admin/access/gate.ts";
import type { AdminViews } from "../../admin/admin-operations.ts";
import type { AdminDeed } from "../../admin/admin-server.ts";
import type { AuditLog } from "../../config/audit-log.ts";
import { isOpen } from "../../config/node-checks.ts";
import type { Logger } from "../../core/ports.ts";
import type { Service } from "../../core/service.ts";
import { FileTokens } from "../tokens/file-tokens.ts";
import type { NodeContext } from "./node-context.ts";

/** What the views of a role add to what every role has. */
type OwnViews = AdminViews extends infer Views
  ? Views extends AdminViews
    ? Omit<Views, "version" | "clock" | "metrics" | "history" | "language">
    : never
  : never;

const NO_ADMIN: Service = { name: "no admin API", start: async () => {}, stop: async () => {} };

/** What the admin API needs of a control plane's store. */
export interface AdminStore {
  readonly tokens: TokenLookup;
  readonly audit: Pick<AuditLog, "append">;
}

/** The admin API, which says where it listens; nothing when it is switched off. Its modules are loaded when it starts. */
export function adminService(context: NodeContext, own: OwnViews, store?: AdminStore): Service {
  const { loaded, logger, version, clock, meter, history, language } = context;
  const settings = loaded.settings.admin;
  if (!settings.enabled) return NO_ADMIN;
  const views = { ...own, version, clock, metrics: meter, history, language } as AdminViews;
  const file = settings.tokens_file === "" ? undefined : new FileTokens(settings.tokens_file);
  let server: Service | undefined;
  return {
    name: "admin API",
    async start() {
      const { AdminServer } = await import("../../admin/admin-server.ts");
      const { adminOperations } = await import("../../admin/admin-operations.ts");
      file?.start(clock, logger);
      const gate = new Gate({
        isOpen: isOpen(settings),
        tokens: [file, store?.tokens].filter((lookup) => lookup !== undefined),
        certificateRoles: settings.tls.roles,
        clock,
      });
      const operations = adminOperations(views);
      const record = (deed: AdminDeed) => writeDown(deed, logger, store);
      const started = new AdminServer({ settings, role: views.role, operations, gate, record, clock, logger });
      await started.start();
      server = started;
      const { host, port: actual } = started.address();
      logger.info("The admin API is listening", {
        address: host.includes(":") ? `[${host}]:${actual}` : `${host}:${actual}`,
      });
    },
    async stop(deadline) {
      await server?.stop(deadline);
      file?.stop();
    },
  };
}

/** In the log of every node, and in the audit log where there is one. The deed is done, so a failure to record it is only told. */
async function writeDown({ author, action }: AdminDeed, logger: Logger, store: AdminStore | undefined): Promise<void> {
  logger.info("Something was done through the admin API", { author, action });
  try {
    await store?.audit.append({ author, action: "admin.request", detail: { request: action } });
  } catch (error) {
    logger.error("The audit log could not be written", { author, action, error });
  }
}
