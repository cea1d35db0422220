import type { Command } from "commander";
import { z } from "zod";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const Explanation = z.object({
  route: z.string().nullable(),
  allow: z.array(z.string()).default([]),
  others: z.array(z.object({ id: z.string(), lost_by: z.string(), reason: z.string() })),
  unlisted: z.record(z.string(), z.number()),
});

type Explanation = z.output<typeof Explanation>;

export function addRoutes(program: Command, context: CommandContext): void {
  const routes = program.command("routes").description("ask a node about its routes");
  adminCommand(routes, "explain", context)
    .description("say which route answers a request, and why the others do not")
    .argument("<method>", "such as GET")
    .argument("<url>", "https://host/path?query, or only a path")
    .option("-H, --header <header>", "a header as `Name: value`; may be given several times", collect, [])
    .addHelpText(
      "after",
      `
Exit code 0 when a route answers, 1 when none does.

Examples:
  runway routes explain GET https://api.example.com/v2/users
  runway routes explain POST /orders -H "Host: shop.example.com" -H "Cookie: group=beta"`,
    )
    .action(async (method: string, url: string, options: AdminOptions & { readonly header: string[] }) => {
      const query = new URLSearchParams([
        ["method", method],
        ["url", url],
      ]);
      for (const header of options.header) query.append("header", header);
      const reply = await clientOf(options, context).request(`/routes/match?${query}`);
      const explanation = reply.parse(Explanation);
      context.exitCode = explanation.route === null ? EXIT.failed : EXIT.ok;
      context.terminal.write(options.json ? reply.text : describe(explanation));
    });
}

function describe({ route, allow, others, unlisted }: Explanation): string {
  const headline =
    route === null
      ? `No route answers${allow.length === 0 ? "" : `; ${allow.join(", ")} would be answered`}.`
      : `${route} answers.`;
  const rows = others.map(({ id, lost_by, reason }) => [id, lost_by, reason]);
  const table = rows.length === 0 ? "" : `\n${formatTable(["OTHERS", "LOST BY", "WHY"], rows)}`;
  const more = Object.entries(unlisted).map(([loss, count]) => `${count} by ${loss}`);
  return `${headline}\n${table}${more.length === 0 ? "" : `and more: ${more.join(", ")}\n`}`;
}

function collect(header: string, before: readonly string[]): string[] {
  return [...before, header];
}
