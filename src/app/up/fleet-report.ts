import { AdminClient } from "../admin-client.ts";
import { NodeList, type NodeRow, syncText } from "../node-table.ts";
import { formatTable } from "../table.ts";
import type { ClusterPorts } from "./cluster-files.ts";
import type { TrickleCount } from "./trickle.ts";

const ASK_TIMEOUT_MS = 1_000;
const HEADINGS = ["NODE", "LISTENS ON", "STATUS", "CONFIG", "IN SYNC", "ANSWERED", "FAILED"];

/** What the fleet looks like at one moment: what the control plane says of it, and what came of our own requests. */
export interface FleetReport {
  /** Undefined while the control plane does not answer. */
  readonly nodes: readonly NodeRow[] | undefined;
  readonly counts: readonly Readonly<TrickleCount>[];
}

export async function askFleet(ports: ClusterPorts): Promise<readonly NodeRow[] | undefined> {
  const client = new AdminClient(`http://127.0.0.1:${ports.controlPlaneAdmin}`);
  try {
    return (await client.request("/cluster/nodes", { timeoutMs: ASK_TIMEOUT_MS })).parse(NodeList);
  } catch {
    return undefined;
  }
}

/** A table for a terminal. */
export function fleetTable({ nodes, counts }: FleetReport, { dataPlanes }: ClusterPorts): string {
  const rows = dataPlanes.map(({ nodeId, traffic }, position) => {
    const row = nodes?.find(({ node_id }) => node_id === nodeId);
    const { answered, failed } = counts[position]!;
    return [nodeId, `127.0.0.1:${traffic}`, ...seenByControlPlane(nodes, row), answered, failed];
  });
  const headline = nodes === undefined ? "The control plane does not answer; the data planes serve on.\n" : "\n";
  return `${headline}${formatTable(HEADINGS, rows)}`;
}

/** One line for a log. */
export function fleetLine({ nodes, counts }: FleetReport, { dataPlanes }: ClusterPorts): string {
  const parts = dataPlanes.map(({ nodeId }, position) => {
    const { answered, failed } = counts[position]!;
    const row = nodes?.find(({ node_id }) => node_id === nodeId);
    const state = row === undefined ? "" : ` ${row.status} v${row.config_version} in sync: ${syncText(row)},`;
    return `${nodeId}${state} ${answered} answered, ${failed} failed`;
  });
  return `${nodes === undefined ? "control plane away" : "control plane up"}; ${parts.join("; ")}\n`;
}

function seenByControlPlane(nodes: FleetReport["nodes"], row: NodeRow | undefined): string[] {
  if (nodes === undefined) return ["?", "?", "?"];
  return row === undefined ? ["not known", "-", "-"] : [row.status, `v${row.config_version}`, syncText(row)];
}
