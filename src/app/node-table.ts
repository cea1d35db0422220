import { z } from "zod";
import { formatDuration } from "../core/duration.ts";

const Node = z.object({
  node_id: z.string(),
  hostname: z.string(),
  version: z.string(),
  config_version: z.number(),
  config_hash_hex: z.string(),
  in_sync: z.boolean(),
  last_heartbeat: z.string().nullable(),
  status: z.string(),
  node_status: z.object({ requests_total: z.number(), failures_total: z.number(), routes: z.number() }).optional(),
  refused: z.object({ version: z.number(), problems: z.array(z.object({ message: z.string() })) }).nullable(),
  rejection: z.string().nullable(),
  obstacle: z.string().nullable(),
  left_out: z.array(z.object({ kind: z.string(), id: z.string(), path: z.string(), reason: z.string() })),
  left_out_total: z.number(),
  late: z.boolean(),
});

/** What `GET /cluster/nodes` answers, as far as people are shown it. */
export const NodeList = z.array(Node);
export type NodeRow = z.output<typeof Node>;

export const NODE_HEADINGS = [
  "NODE",
  "STATUS",
  "CONFIG",
  "IN SYNC",
  "ROUTES",
  "REQUESTS",
  "FAILURES",
  "HEARTBEAT",
  "RUNWAY",
  "HOST",
];

/** The cells of one node, under NODE_HEADINGS. */
export function nodeCells(node: NodeRow, nowMs: number): unknown[] {
  const { node_status: numbers } = node;
  return [
    node.node_id,
    node.status,
    node.config_version === 0 ? "none" : `v${node.config_version}`,
    syncText(node),
    numbers?.routes,
    numbers?.requests_total,
    numbers?.failures_total,
    node.last_heartbeat === null ? "never" : `${age(node.last_heartbeat, nowMs)} ago`,
    node.version,
    node.hostname,
  ];
}

export function syncText({ in_sync, late, refused }: NodeRow): string {
  if (in_sync) return "yes";
  if (refused !== null) return `refuses v${refused.version}`;
  return late ? "late" : "no";
}

/** In whole seconds: two clocks are compared. */
function age(time: string, nowMs: number): string {
  return formatDuration(Math.max(0, Math.round((nowMs - Date.parse(time)) / 1_000)) * 1_000);
}
