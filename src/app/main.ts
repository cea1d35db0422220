import { runCli } from "./cli.ts";
import { processTerminal } from "./terminal.ts";
import { endWithParent } from "./up/end-with-parent.ts";

endWithParent();
process.exitCode = await runCli(process.argv.slice(2), processTerminal);
