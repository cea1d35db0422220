import { Command, CommanderError } from "commander";
import { nearestName } from "../config/nearest-name.ts";
import { RunwayError } from "../core/failure.ts";
import { CommandError } from "./command-error.ts";
import { addCertificates } from "./commands/certificates.ts";
import { addChange } from "./commands/change.ts";
import type { CommandContext } from "./commands/command-context.ts";
import { addDiff } from "./commands/diff.ts";
import { addExport } from "./commands/export.ts";
import { addGet } from "./commands/get.ts";
import { addHash } from "./commands/hash.ts";
import { addAudit, addHistory, addRollback, addShow } from "./commands/history.ts";
import { addImport } from "./commands/import.ts";
import { addJoin } from "./commands/join.ts";
import { addNodes } from "./commands/nodes.ts";
import { addOrigin } from "./commands/origin.ts";
import { addPki } from "./commands/pki.ts";
import { addPush } from "./commands/push.ts";
import { addRoutes } from "./commands/routes.ts";
import { addRun } from "./commands/run.ts";
import { addSchema } from "./commands/schema.ts";
import { addStatus } from "./commands/status.ts";
import { addToken } from "./commands/token.ts";
import { addUp } from "./commands/up.ts";
import { addValidate } from "./commands/validate.ts";
import { addVersion } from "./commands/version.ts";
import { EXIT, EXIT_MEANINGS, type ExitReason } from "./exit-codes.ts";
import type { Terminal } from "./terminal.ts";

const EXAMPLES = `
Examples:
  runway up                              see a whole cluster at work, with traffic
  runway run -c runway.yaml              run a node
  runway validate -c runway.yaml         check a configuration
  runway push runway.yaml --wait         give it to a control plane and wait for the fleet
  runway nodes                           see which data plane serves what

Exit codes:
${Object.entries(EXIT_MEANINGS)
  .map(([reason, meaning]) => `  ${EXIT[reason as ExitReason]}  ${meaning}`)
  .join("\n")}`;

/** Runs one command line, without the name of the program. Returns the exit code (see exit-codes.ts). */
export async function runCli(args: readonly string[], terminal: Terminal): Promise<number> {
  const context: CommandContext = { terminal, exitCode: EXIT.ok };
  const program = buildProgram(context);
  try {
    refuseUnknownCommand(program, args);
    await program.parseAsync(args, { from: "user" });
    return context.exitCode;
  } catch (error) {
    return reportError(error, terminal);
  }
}

/** Every command with its options and help. */
function buildProgram(context: CommandContext): Command {
  const { terminal } = context;
  const program = new Command("runway")
    .description("An API gateway: control planes give configuration to data planes and can never take them down.")
    .addHelpText("after", EXAMPLES)
    .configureOutput({ writeOut: terminal.write, writeErr: terminal.complain })
    // So that `runway nodes revoke --admin …` gives its options to `revoke`, although `nodes` has some of the same name.
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError("Add --help to see what is possible.");
  addRun(program, context);
  addUp(program, context);
  addValidate(program, context);
  addPush(program, context);
  addDiff(program, context);
  addChange(program, context);
  addGet(program, context);
  addHistory(program, context);
  addShow(program, context);
  addRollback(program, context);
  addAudit(program, context);
  addExport(program, context);
  addImport(program, context);
  addNodes(program, context);
  addStatus(program, context);
  addRoutes(program, context);
  addPki(program, context);
  addJoin(program, context);
  addCertificates(program, context);
  addToken(program, context);
  addHash(program, context);
  addSchema(program, context);
  addVersion(program, context);
  addOrigin(program, context);
  return program;
}

/** Without this, a mistyped command would be an argument too many of `run`. */
function refuseUnknownCommand(program: Command, [first]: readonly string[]): void {
  if (first === undefined || first.startsWith("-") || first === "help") return;
  if (program.commands.some((command) => command.name() === first)) return;
  const names = program
    .createHelp()
    .visibleCommands(program)
    .map((command) => command.name());
  const nearest = nearestName(first, names);
  const meant = nearest === undefined ? `Commands: ${names.join(", ")}.` : `Did you mean \`runway ${nearest}\`?`;
  throw new CommandError(
    "usage",
    `There is no command ${JSON.stringify(first)}. ${meant} \`runway --help\` says more.`,
  );
}

function reportError(error: unknown, terminal: Terminal): number {
  // What it has to say is written already.
  if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.ok : EXIT.usage;
  const known = error instanceof CommandError || error instanceof RunwayError;
  const message = known
    ? error.message
    : `unexpected error: ${error instanceof Error ? (error.stack ?? error.message) : error}`;
  terminal.complain(`runway: ${message}\n`);
  return EXIT[reasonOf(error)];
}

function reasonOf(error: unknown): ExitReason {
  if (error instanceof CommandError) return error.reason;
  if (!(error instanceof RunwayError)) return "failed";
  if (error.kind === "configurationInvalid") return "invalid";
  return error.kind === "forbidden" ? "refused" : "failed";
}
