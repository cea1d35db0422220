import type { Command } from "commander";
import { z } from "zod";
import { formatDuration, parseDuration } from "../../core/duration.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-codes.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";
import { countOf } from "./count-of.ts";
import { describeChanges } from "./describe-changes.ts";
import { ifVersion } from "./if-version.ts";
import { readDocument } from "./read-document.ts";

const DEFAULT_WAIT = "5s";
/** More than the server needs to answer once the wait is over. */
const ANSWER_TIMEOUT_MS = 10_000;

const Fleet = z.object({
  Complete: z.boolean(),
  Applied: z.array(z.string()),
  Missing: z.array(z.object({ NodeId: z.string(), Why: z.string(), Detail: z.string() })),
  Slowest: z.object({ NodeId: z.string(), AfterMs: z.number() }).optional(),
});
const Answer = z.object({ Changes: z.array(z.string()), Version: z.number(), Fleet: Fleet.optional() });

interface PushOptions extends AdminOptions {
  readonly dryRun: boolean;
  readonly wait?: string | true;
  readonly message?: string;
  readonly ifVersion?: number;
}

export function addPush(program: Command, context: CommandContext): void {
  adminCommand(program, "push", context)
    .description("give a control plane a new configuration")
    .argument("<file>", "the whole configuration as YAML; - reads standard input")
    .option("--dry-run", "only show what would change", false)
    .option(
      "--wait [duration]",
      `wait until the connected data planes have applied it, ${DEFAULT_WAIT} unless told otherwise, 60s at most`,
    )
    .option("--if-version <number>", "only if this is the newest version", countOf)
    .option("-m, --message <text>", "why, for the history")
    .addHelpText(
      "after",
      `
Examples:
  runway push runway.yaml --dry-run
  runway push runway.yaml --wait 10s -m "the shop moves to v2"
  curl -s http://127.0.0.1:8081/api/v1/config | sed s/9000/9001/ | runway push -`,
    )
    .action(async (file: string, options: PushOptions) => {
      const waitMs = options.wait === undefined ? 0 : waitOf(options.wait);
      const body = await readDocument(file, context.terminal);
      const path = `/api/v1/config${queryOf(options, waitMs)}`;
      const client = clientOf(options, context);
      const reply = await client.request(path, {
        method: "POST",
        body,
        ifMatch: await ifVersion(client, options.ifVersion),
        timeoutMs: waitMs + ANSWER_TIMEOUT_MS,
      });
      const answer = reply.parse(Answer);
      if (answer.Fleet?.Complete === false) context.exitCode = EXIT.failed;
      context.terminal.write(options.json ? reply.text : describe(answer, options, context));
    });
}

function waitOf(wait: string | true): number {
  const ms = parseDuration(wait === true ? DEFAULT_WAIT : wait);
  if (ms === undefined) throw new CommandError("usage", `--wait ${wait} is not a duration such as 5s`);
  return ms;
}

function queryOf({ dryRun, message }: PushOptions, waitMs: number): string {
  const query = new URLSearchParams();
  if (dryRun) query.set("dry_run", "true");
  if (message !== undefined) query.set("message", message);
  if (waitMs > 0) query.set("wait", "applied");
  if (waitMs > 0) query.set("timeout", formatDuration(waitMs));
  return query.size === 0 ? "" : `?${query}`;
}

function describe(
  { Changes, Version, Fleet }: z.output<typeof Answer>,
  options: PushOptions,
  context: CommandContext,
): string {
  return (
    describeChanges(Version, Changes, options, context.terminal) + (Fleet === undefined ? "" : describeFleet(Fleet))
  );
}

function describeFleet({ Complete, Applied, Missing, Slowest }: z.output<typeof Fleet>): string {
  const slowest =
    Slowest === undefined ? "" : `; the slowest, ${Slowest.NodeId}, after ${Math.round(Slowest.AfterMs)} ms`;
  const applied = `Applied by ${Applied.length} of ${Applied.length + Missing.length} connected nodes${slowest}.\n`;
  const missing = Missing.map(
    ({ NodeId, Why, Detail }) => `  ${NodeId} (${Why})${Detail === "" ? "" : `: ${Detail}`}\n`,
  );
  return Complete ? applied : `${applied}Not applied by:\n${missing.join("")}`;
}
