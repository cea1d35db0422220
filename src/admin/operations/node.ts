import type { JsonObject } from "../../config/json.ts";
import type { Role } from "../../config/node-settings.ts";
import type { FleetView } from "../fleet-view.ts";
import { NODE_CALLS } from "../node-calls.ts";
import type { NodeControl } from "../node-control.ts";
import { type Operation, operation } from "../operation.ts";

/** What this node itself is asked. */
export function ownNodeOperations(node: NodeControl, role: Role): Operation[] {
  return NODE_CALLS.filter(({ ownRoles }) => ownRoles.includes(role)).map((call) =>
    operation({
      ...{ method: call.method, path: call.path, roles: call.ownRoles, summary: call.summary, query: call.params },
      answer: call.result,
      handle: ({ query }) => ({ json: call.answer(node, query) }),
    }),
  );
}

/** What a control plane has its nodes asked, wherever they are connected. */
export function remoteNodeOperations(fleet: FleetView): Operation[] {
  return NODE_CALLS.map(({ name, method, path, summary, params, result }) =>
    operation({
      ...{ method, path: `/api/v1/data-planes/{id}${path}`, roles: ["control_plane"], summary, query: params },
      answer: result,
      handle: async ({ parameters: { id = "" }, query }) => ({ json: await fleet.call(id, name, query as JsonObject) }),
    }),
  );
}
