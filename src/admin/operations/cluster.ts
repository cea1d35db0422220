import { formatHash } from "../../config/state-hash.ts";
import { RunwayError } from "../../core/failure.ts";
import { ClusterStatusAnswer, ForgottenAnswer, NodesAnswer } from "../answers/cluster.ts";
import type { DataPlaneStatus, DataPlaneView } from "../data-plane-view.ts";
import type { FleetView } from "../fleet-view.ts";
import { nodeJson } from "../node-json.ts";
import { type Operation, operation } from "../operation.ts";
import { timestamp } from "../write-json.ts";

/** The fleet, as its control plane sees it. */
export function fleetOperations(fleet: FleetView): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/cluster/nodes",
      roles: ["control_plane"],
      summary: "Every known data plane, ordered by node_id.",
      answer: NodesAnswer,
      handle: () => ({ json: fleet.nodes().map(nodeJson) }),
    }),
    operation({
      method: "DELETE",
      path: "/cluster/nodes/{id}",
      roles: ["control_plane"],
      summary: "Forgets a node that is not connected, so that another certificate may claim its id.",
      answer: ForgottenAnswer,
      handle: ({ parameters: { id = "" } }) => {
        switch (fleet.forget(id)) {
          case "forgotten":
            return { json: { status: "forgotten", node_id: id } };
          case "unknown":
            throw new RunwayError("notFound", `No node ${JSON.stringify(id)} is known. GET /cluster/nodes lists them.`);
          case "connected":
            throw new RunwayError("nodeConnected", `Node ${JSON.stringify(id)} is connected. Stop it first.`);
        }
      },
    }),
  ];
}

/** The cluster, as a data plane sees it. */
export function dataPlaneOperations(node: DataPlaneView): Operation[] {
  return [
    operation({
      method: "GET",
      path: "/cluster/status",
      roles: ["data_plane"],
      summary: "Whether this data plane is connected, and what it serves.",
      answer: ClusterStatusAnswer,
      handle: () => {
        const status = node.status();
        return {
          json: {
            role: "data_plane",
            cp_address: status.cpAddress,
            connected: status.connected,
            config_version: status.configVersion,
            config_hash: status.configHash,
            node_id: status.nodeId,
            has_config: status.hasConfig,
            config_hash_hex: formatHash(status.configHash),
            epoch: status.epoch ?? null,
            connected_at: timestamp(status.connectedAtMs),
            last_error: status.lastError ?? "",
            peer: status.peer ?? null,
            withheld: withheldJson(status.withheld),
          },
        };
      },
    }),
  ];
}

function withheldJson(withheld: DataPlaneStatus["withheld"]) {
  return withheld === undefined
    ? null
    : { version: withheld.version, hash_hex: formatHash(withheld.hash), reason: withheld.reason };
}
