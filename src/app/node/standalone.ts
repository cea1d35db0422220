import { toResources } from "../../config/document.ts";
import { adminService } from "./admin-service.ts";
import { createGateway } from "./create-gateway.ts";
import { FileDesk } from "./file-desk.ts";
import { readFileAgain, reloadForSignal, requireAccepted } from "./file-reload.ts";
import { GatewayAdminView } from "./gateway-admin-view.ts";
import type { NodeContext } from "./node-context.ts";
import { createNodeControl } from "./node-control.ts";
import { createRoleService, type RoleService } from "./role-service.ts";

/** A gateway with its configuration in a file beside it. */
export function createStandalone(context: NodeContext): RoleService {
  const { loaded, clock, history, logger } = context;
  const gateway = createGateway(context);
  const desk = new FileDesk({ gateway, readFile: () => readFileAgain(context), history, clock, logger });
  const view = new GatewayAdminView(gateway);
  const control = createNodeControl(context, { gateway, view });
  const configuration = {
    name: "configuration",
    start: async () => requireAccepted(await desk.open(toResources(loaded.document))),
    stop: async () => {},
  };
  return createRoleService({
    name: "standalone",
    services: [gateway, configuration],
    admin: adminService(context, { role: "standalone", reload: desk, gateway: view, control }),
    gateway,
    hangUp: () => void reloadForSignal(context, () => desk.reload()),
  });
}
