import type { Command } from "commander";
import { type CommandContext, nodeEnvironment } from "./command-context.ts";
import { DEFAULT_FILE, readNodeFile } from "./read-document.ts";

export function addRun(program: Command, context: CommandContext): void {
  program
    .command("run", { isDefault: true })
    .description("run a node: standalone, control plane or data plane, as its configuration says (the default command)")
    .option("-c, --config <file>", `the node's configuration; ./${DEFAULT_FILE} when not given`)
    .addHelpText(
      "after",
      `
Any setting of cluster, admin, workers and logging can come from the environment, which wins over the file:
  RUNWAY_ADMIN_PORT=9081 runway run -c edge.yaml
Signals: SIGHUP reads the file again, SIGUSR1 opens the access log anew, SIGTERM and Ctrl-C drain and stop, a second one stops at once.`,
    )
    .action(async ({ config }: { config?: string }) => {
      // Says what to do when there is none, before anything starts.
      await readNodeFile(config, context.terminal);
      const { runNode } = await import("../node/run-node.ts");
      const env = nodeEnvironment(context.terminal);
      context.exitCode = await runNode({ file: config ?? DEFAULT_FILE, env });
    });
}
