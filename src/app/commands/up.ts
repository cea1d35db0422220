import { type Command, InvalidArgumentError } from "commander";
import { parseDuration } from "../../core/duration.ts";
import type { CommandContext } from "./command-context.ts";

export function addUp(program: Command, context: CommandContext): void {
  program
    .command("up")
    .description("see a whole cluster at work: an origin, a control plane, two data planes and a little traffic")
    .option("--dir <directory>", "keep everything there; a temporary directory when not given")
    .option("--for <duration>", "end after that long; otherwise Ctrl-C ends it", durationOf)
    .addHelpText("after", "\nExamples:\n  runway up\n  runway up --dir ./cluster --for 1m")
    .action(async (options: { dir?: string; for?: number }) => {
      // Brings the certificate library along, which no other command should wait for.
      const { up } = await import("../up/up.ts");
      await up({ directory: options.dir, forMs: options.for }, context.terminal);
    });
}

function durationOf(text: string): number {
  const ms = parseDuration(text);
  if (ms === undefined || ms <= 0) throw new InvalidArgumentError("Give a duration such as 20s.");
  return ms;
}
