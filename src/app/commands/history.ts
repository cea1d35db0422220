import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { changeLines } from "./change-lines.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const Version = z.object({
  version: z.int(),
  committed_at: z.string(),
  author: z.string(),
  source: z.string(),
  message: z.string(),
});
const Changed = z.object({
  version: z.int(),
  changes: z.array(z.object({ kind: z.string(), id: z.string(), action: z.string() })),
  fleet: z
    .object({ complete: z.boolean(), missing: z.array(z.object({ node_id: z.string(), why: z.string() })) })
    .optional(),
});
const AuditPage = z.object({ data: z.array(z.json()), next: z.string().nullable() });

/** More than the server waits for the fleet. */
const WAIT_TIMEOUT_MS = 20_000;

export function addHistory(program: Command, context: CommandContext): void {
  adminCommand(program, "history", context)
    .description("list the versions of a control plane: who changed what, when and why")
    .option("-n, --limit <number>", "how many at most, newest first", countOf, 20)
    .action(async (options: AdminOptions & { limit: number }) => {
      const reply = await clientOf(options, context).request(`/api/v1/versions?size=${options.limit}`);
      if (options.json) return context.terminal.write(reply.text);
      const rows = reply
        .parse(z.object({ data: z.array(Version) }))
        .data.map(({ version, committed_at, author, source, message }) => [
          String(version),
          committed_at,
          author,
          source,
          message,
        ]);
      context.terminal.write(formatTable(["VERSION", "WHEN", "AUTHOR", "SOURCE", "MESSAGE"], rows));
    });
}

export function addShow(program: Command, context: CommandContext): void {
  adminCommand(program, "show", context)
    .description("print the configuration of one version as YAML")
    .argument("<version>", "as `runway history` lists it")
    .action(async (version: string, options: AdminOptions) => {
      const reply = await clientOf(options, context).request(`/api/v1/versions/${encodeURIComponent(version)}`);
      context.terminal.write(options.json ? reply.text : reply.parse(z.object({ yaml: z.string() })).yaml);
    });
}

interface RollbackOptions extends AdminOptions {
  readonly dryRun: boolean;
  readonly wait: boolean;
  readonly message?: string;
}

export function addRollback(program: Command, context: CommandContext): void {
  adminCommand(program, "rollback", context)
    .description("make a new version with the content of an old one")
    .argument("<version>", "as `runway history` lists it", countOf)
    .option("--dry-run", "only show what would change", false)
    .option("--wait", "wait until the connected data planes have applied it", false)
    .option("-m, --message <text>", "why, for the history")
    .addHelpText(
      "after",
      "\nExample:\n  runway rollback 41 --dry-run && runway rollback 41 --wait -m 'the new shop is slow'",
    )
    .action(async (version: number, options: RollbackOptions) => {
      const { dryRun, wait, message } = options;
      const query = new URLSearchParams({
        dry_run: String(dryRun),
        ...(wait ? { wait: "applied", timeout: "10s" } : {}),
        ...(message === undefined ? {} : { message }),
      });
      const body = JSON.stringify({ version });
      const request = { method: "POST", body, contentType: "application/json", timeoutMs: WAIT_TIMEOUT_MS } as const;
      const reply = await clientOf(options, context).request(`/api/v1/rollback?${query}`, request);
      const changed = reply.parse(Changed);
      if (changed.fleet?.complete === false) context.exitCode = EXIT.failed;
      context.terminal.write(options.json ? reply.text : describe(changed, dryRun, context));
    });
}

function describe(
  { version, changes, fleet }: z.output<typeof Changed>,
  dryRun: boolean,
  { terminal }: CommandContext,
): string {
  const lines = changeLines(
    changes.map(({ kind, id, action }) => `${kind}:${id} ${action}`),
    terminal,
  );
  const headline =
    changes.length === 0
      ? `Nothing ${dryRun ? "would change" : "changed"}: version ${version} has this content already.\n`
      : `Version ${version} ${dryRun ? "would have" : "has"} these changes:\n`;
  const missing = (fleet?.missing ?? []).map(({ node_id, why }) => `Not applied by ${node_id} (${why}).\n`);
  return headline + lines + missing.join("");
}

export function addAudit(program: Command, context: CommandContext): void {
  adminCommand(program, "audit", context)
    .description(
      "export the audit log of a control plane, one JSON entry a line; each holds the hash of the one before",
    )
    .action(async (options: AdminOptions) => {
      const client = clientOf(options, context);
      for (let next: string | null = "/api/v1/audit?size=1000"; next !== null; ) {
        const page: z.output<typeof AuditPage> = (await client.request(next)).parse(AuditPage);
        for (const entry of page.data) context.terminal.write(`${JSON.stringify(entry)}\n`);
        next = page.next;
      }
    });
}

function countOf(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new InvalidArgumentError("Give a whole number from 1.");
}
