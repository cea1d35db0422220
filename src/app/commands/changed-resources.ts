import type { Command } from "commander";
import { z } from "zod";
import { EXIT } from "../exit-codes.ts";
import { type AdminOptions, type CommandContext, clientOf } from "./command-context.ts";
import { countOf } from "./count-of.ts";
import { describeChanges } from "./describe-changes.ts";
import { ifVersion } from "./if-version.ts";

const Changed = z.object({
  version: z.int(),
  changes: z.array(z.object({ kind: z.string(), id: z.string(), action: z.string() })),
  fleet: z
    .object({ complete: z.boolean(), missing: z.array(z.object({ node_id: z.string(), why: z.string() })) })
    .optional(),
});

/** More than the server waits for the fleet. */
const WAIT_TIMEOUT_MS = 20_000;

export interface ChangeOptions extends AdminOptions {
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly message?: string;
  readonly ifVersion?: number;
}

/** The options of a command that changes resources. */
export function changeOptions(command: Command): Command {
  return command
    .option("--dry-run", "only show what would change", false)
    .option("--wait", "wait until the connected data planes have applied it", false)
    .option("--if-version <number>", "only if this is the newest version", countOf)
    .option("-m, --message <text>", "why, for the history");
}

/** Has the admin API change resources, and says what it did. */
export async function changeResources(path: string, body: string, options: ChangeOptions, context: CommandContext) {
  const { dryRun, wait, message } = options;
  const client = clientOf(options, context);
  const query = new URLSearchParams({
    dry_run: String(dryRun),
    ...(wait ? { wait: "applied", timeout: "10s" } : {}),
    ...(message === undefined ? {} : { message }),
  });
  const ifMatch = await ifVersion(client, options.ifVersion);
  const request = {
    method: "POST",
    body,
    contentType: "application/json",
    ifMatch,
    timeoutMs: WAIT_TIMEOUT_MS,
  } as const;
  const reply = await client.request(`${path}?${query}`, request);
  const changed = reply.parse(Changed);
  if (changed.fleet?.complete === false) context.exitCode = EXIT.failed;
  context.terminal.write(options.json ? reply.text : describe(changed, dryRun, context));
}

function describe(
  { version, changes, fleet }: z.output<typeof Changed>,
  dryRun: boolean,
  { terminal }: CommandContext,
): string {
  const told = changes.map(({ kind, id, action }) => `${kind}:${id} ${action}`);
  const missing = (fleet?.missing ?? []).map(({ node_id, why }) => `Not applied by ${node_id} (${why}).\n`);
  return describeChanges(version, told, { dryRun }, terminal) + missing.join("");
}
