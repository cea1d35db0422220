import type { Command } from "commander";
import { z } from "zod";
import type { AdminClient } from "../admin-client.ts";
import { EXIT } from "../exit-codes.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";
import { changeLines } from "./describe-changes.ts";
import { readDocument } from "./read-document.ts";

const Answer = z.object({ Changes: z.array(z.string()) });
const Difference = z.object({
  changes: z.array(z.object({ kind: z.string(), id: z.string(), action: z.string() })),
});

export function addDiff(program: Command, context: CommandContext): void {
  adminCommand(program, "diff", context)
    .description("show what a file would change in the configuration of a control plane, or how two versions differ")
    .argument("<file or version>", "the whole configuration as YAML; - reads standard input")
    .argument("[version]", "with two versions: what turns the first into the second")
    .addHelpText(
      "after",
      `
Compares meaning, not text: comments, the order of keys and the node's own blocks make no difference.
Exit code as of diff(1): 0 no difference, 1 differences, more than 1 trouble.

Examples:
  runway diff runway.yaml
  runway diff runway.yaml || runway push runway.yaml
  runway diff 41 42`,
    )
    .action(async (first: string, second: string | undefined, options: AdminOptions) => {
      const client = clientOf(options, context);
      const compare =
        second === undefined ? compareFile(client, first, context) : compareVersions(client, first, second);
      const { changes, text } = await compare;
      context.exitCode = changes.length === 0 ? EXIT.ok : EXIT.failed;
      context.terminal.write(options.json ? text : changeLines(changes, context.terminal));
    });
}

interface Comparison {
  readonly changes: readonly string[];
  readonly text: string;
}

async function compareFile(client: AdminClient, file: string, { terminal }: CommandContext): Promise<Comparison> {
  const body = await readDocument(file, terminal);
  const reply = await client.request("/api/v1/config?dry_run=true", { method: "POST", body });
  return { changes: reply.parse(Answer).Changes, text: reply.text };
}

async function compareVersions(client: AdminClient, from: string, to: string): Promise<Comparison> {
  const reply = await client.request(`/api/v1/versions/${encodeURIComponent(from)}/diff/${encodeURIComponent(to)}`);
  const { changes } = reply.parse(Difference);
  return { changes: changes.map(({ kind, id, action }) => `${kind}:${id} ${action}`), text: reply.text };
}
