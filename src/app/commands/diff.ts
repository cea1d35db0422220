import type { Command } from "commander";
import { z } from "zod";
import { EXIT } from "../exit-codes.ts";
import { changeLines } from "./change-lines.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";
import { readDocument } from "./read-document.ts";

const Answer = z.object({ Changes: z.array(z.string()) });

export function addDiff(program: Command, context: CommandContext): void {
  adminCommand(program, "diff", context)
    .description("show what a file would change in the configuration of a control plane")
    .argument("<file>", "the whole configuration as YAML; - reads standard input")
    .addHelpText(
      "after",
      `
Compares meaning, not text: comments, the order of keys and the node's own blocks make no difference.
Exit code as of diff(1): 0 no difference, 1 differences, more than 1 trouble.

Examples:
  runway diff runway.yaml
  runway diff runway.yaml || runway push runway.yaml`,
    )
    .action(async (file: string, options: AdminOptions) => {
      const body = await readDocument(file, context.terminal);
      const reply = await clientOf(options, context).request("/api/v1/config?dry_run=true", { method: "POST", body });
      const { Changes } = reply.parse(Answer);
      context.exitCode = Changes.length === 0 ? EXIT.ok : EXIT.failed;
      context.terminal.write(options.json ? reply.text : changeLines(Changes, context.terminal));
    });
}
