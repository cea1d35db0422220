import { type AdminViews, adminOperations } from "../../admin/admin-operations.ts";
import { AdminServer } from "../../admin/admin-server.ts";
import type { Service } from "../../core/service.ts";
import type { NodeContext } from "./node-context.ts";

/** What the views of a role add to what every role has. */
type OwnViews = AdminViews extends infer Views
  ? Views extends AdminViews
    ? Omit<Views, "version" | "clock" | "metrics" | "history">
    : never
  : never;

/** The admin API as a service that says where it listens; nothing when it is switched off. */
export function adminService(
  { loaded, logger, version, clock, meter, history }: NodeContext,
  own: OwnViews,
): Service[] {
  const { enabled, address, port, allow_unauthenticated: allowUnauthenticated } = loaded.settings.admin;
  if (!enabled) return [];
  const views = { ...own, version, clock, metrics: meter, history } as AdminViews;
  const operations = adminOperations(views);
  const server = new AdminServer({ address, port, allowUnauthenticated, role: views.role, operations, logger });
  return [
    {
      name: server.name,
      async start() {
        await server.start();
        const { host, port: actual } = server.address();
        logger.info("The admin API is listening", {
          address: host.includes(":") ? `[${host}]:${actual}` : `${host}:${actual}`,
        });
      },
      stop: (deadline) => server.stop(deadline),
    },
  ];
}
