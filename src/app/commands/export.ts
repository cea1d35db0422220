import type { Command } from "commander";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

export function addExport(program: Command, context: CommandContext): void {
  adminCommand(program, "export", context)
    .description("print the configuration of a control plane as YAML; pushing it back changes nothing")
    .addHelpText("after", "\nExample:\n  runway export > runway.yaml")
    .action(async (options: AdminOptions) => {
      const reply = await clientOf(options, context).request("/api/v1/config");
      context.terminal.write(options.json ? `${JSON.stringify({ yaml: reply.text })}\n` : reply.text);
    });
}
