import type { Command } from "commander";
import { NODE_HEADINGS, NodeList, nodeCells } from "../node-table.ts";
import { formatTable } from "../table.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

export function addNodes(program: Command, context: CommandContext): void {
  adminCommand(program, "nodes", context)
    .description("list the data planes of a control plane")
    .addHelpText("after", "\nExamples:\n  runway nodes\n  runway nodes --json | jq '.[] | select(.in_sync | not)'")
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
      for (const { node_id, refused, rejection } of nodes) {
        for (const { message } of refused?.problems ?? [])
          terminal.write(`${node_id} refuses version ${refused?.version}: ${message}\n`);
        if (rejection !== null) terminal.write(`${node_id} was rejected: ${rejection}\n`);
      }
    });
}
