import type { Command } from "commander";
import { VERSION } from "../version.ts";
import type { CommandContext } from "./command-context.ts";

export function addVersion(program: Command, { terminal }: CommandContext): void {
  program
    .command("version")
    .description("print the version of runway and of its runtime")
    .option("--json", "print JSON, for programs", false)
    .action(({ json }: { json: boolean }) => {
      const runway = VERSION;
      const node = process.versions.node;
      terminal.write(json ? `${JSON.stringify({ runway, node })}\n` : `runway ${runway} (node ${node})\n`);
    });
}
