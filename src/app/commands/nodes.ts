import type { Command } from "commander";
import { NODE_HEADINGS, NodeList, nodeCells } from "../node-table.ts";
import { formatTable } from "../table.ts";
import { addNodeRevoke } from "./certificates.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";
import { addInvite } from "./invite.ts";
import { addNodeActions } from "./node-actions.ts";

const MAX_SHOWN = 10;

export function addNodes(program: Command, context: CommandContext): void {
  const nodes = adminCommand(program, "nodes", context);
  addNodeActions(nodes, context);
  addInvite(nodes, context);
  addNodeRevoke(nodes, context);
  nodes
    .description("list the data planes of a control plane, or have them do something")
    .addHelpText(
      "after",
      "\nExamples:\n  runway nodes\n  runway nodes --json | jq '.[] | select(.in_sync | not)'\n  runway nodes drain edge-1 --delay 30s\n  runway nodes log-level edge-1 --set debug --for 10m",
    )
    .action(async (options: AdminOptions) => {
      const { terminal } = context;
      const reply = await clientOf(options, context).request("/cluster/nodes");
      if (options.json) return terminal.write(reply.text);
      const nodes = reply.parse(NodeList);
      if (nodes.length === 0) return terminal.write("No data plane has connected yet.\n");
      terminal.write(
        formatTable(
          NODE_HEADINGS,
          nodes.map((node) => nodeCells(node, Date.now())),
        ),
      );
      for (const { node_id, refused, rejection, obstacle, left_out, left_out_total } of nodes) {
        if (obstacle !== null) terminal.write(`${node_id} is not given it: ${obstacle}\n`);
        else
          for (const { kind, id, path, reason } of left_out.slice(0, MAX_SHOWN))
            terminal.write(`${node_id} goes without ${path === "" ? "" : `${path} of `}${kind}:${id}: ${reason}\n`);
        if (obstacle === null && left_out_total > MAX_SHOWN)
          terminal.write(`${node_id} goes without ${left_out_total - MAX_SHOWN} more\n`);
        for (const { message } of refused?.problems ?? [])
          terminal.write(`${node_id} refuses version ${refused?.version}: ${message}\n`);
        if (rejection !== null) terminal.write(`${node_id} was rejected: ${rejection}\n`);
      }
    });
}
