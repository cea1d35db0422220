import type { Command } from "commander";
import { z } from "zod";
import { formatTable } from "../table.ts";
import { type ChangeOptions, changeOptions, changeResources } from "./changed-resources.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";
import { countOf } from "./count-of.ts";

const Version = z.object({
  version: z.int(),
  committed_at: z.string(),
  author: z.string(),
  source: z.string(),
  message: z.string(),
});
const AuditPage = z.object({ data: z.array(z.json()), next: z.string().nullable() });

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

export function addRollback(program: Command, context: CommandContext): void {
  changeOptions(adminCommand(program, "rollback", context))
    .description("make a new version with the content of an old one")
    .argument("<version>", "as `runway history` lists it", countOf)
    .addHelpText(
      "after",
      "\nExample:\n  runway rollback 41 --dry-run && runway rollback 41 --wait -m 'the new shop is slow'",
    )
    .action((version: number, options: ChangeOptions) =>
      changeResources("/api/v1/rollback", JSON.stringify({ version }), options, context),
    );
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
