import type { AdminViews } from "../../admin/admin-operations.ts";
import type { Service } from "../../core/service.ts";
import type { NodeContext } from "./node-context.ts";

/** What the views of a role add to what every role has. */
type OwnViews = AdminViews extends infer Views
  ? Views extends AdminViews
    ? Omit<Views, "version" | "clock" | "metrics" | "history">
    : never
  : never;

const NO_ADMIN: Service = { name: "no admin API", start: async () => {}, stop: async () => {} };

/** The admin API, which says where it listens; nothing when it is switched off. Its modules are loaded when it starts. */
export function adminService(context: NodeContext, own: OwnViews): Service {
  const { loaded, logger, version, clock, meter, history } = context;
  const { enabled, address, port, allow_unauthenticated: allowUnauthenticated } = loaded.settings.admin;
  if (!enabled) return NO_ADMIN;
  const views = { ...own, version, clock, metrics: meter, history } as AdminViews;
  let server: Service | undefined;
  return {
    name: "admin API",
    async start() {
      const { AdminServer } = await import("../../admin/admin-server.ts");
      const { adminOperations } = await import("../../admin/admin-operations.ts");
      const operations = adminOperations(views);
      const started = new AdminServer({ address, port, allowUnauthenticated, role: views.role, operations, logger });
      await started.start();
      server = started;
      const { host, port: actual } = started.address();
      logger.info("The admin API is listening", {
        address: host.includes(":") ? `[${host}]:${actual}` : `${host}:${actual}`,
      });
    },
    stop: async (deadline) => server?.stop(deadline),
  };
}
