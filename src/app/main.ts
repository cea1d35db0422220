import { runCli } from "./cli.ts";
import { processTerminal } from "./terminal.ts";
import { endWithParent } from "./up/end-with-parent.ts";

// Whoever read the output has seen enough, as in `runway nodes | head -1`. A node's log does not go this way.
process.stdout.on("error", () => process.exit());
endWithParent();
process.exitCode = await runCli(process.argv.slice(2), processTerminal);
