import type { Command } from "commander";
import { dump } from "js-yaml";
import { z } from "zod";
import type { AdminClient } from "../admin-client.ts";
import { formatTable } from "../table.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const Resource = z.looseObject({ id: z.string(), tags: z.array(z.string()).default([]) });
const Page = z.object({ data: z.array(Resource), next: z.string().nullable() });
type Resource = z.output<typeof Resource>;

const PAGE_SIZE = 1_000;

interface GetOptions extends AdminOptions {
  readonly tags?: string;
}

export function addGet(program: Command, context: CommandContext): void {
  adminCommand(program, "get", context)
    .description("list the resources of a control plane, or print one of them as YAML")
    .argument("<collection>", "routes, upstreams, consumers, listeners, settings, plugins or one that a plugin adds")
    .argument("[id]", "of one of them")
    .option("--tags <tags>", "only those with these tags: a,b for both, a/b for either")
    .addHelpText("after", "\nExamples:\n  runway get routes --tags shop,beta\n  runway get upstreams orders")
    .action(async (collection: string, id: string | undefined, options: GetOptions) => {
      const client = clientOf(options, context);
      const path = `/api/v1/${encodeURIComponent(collection)}`;
      const { write } = context.terminal;
      if (id !== undefined) {
        const reply = await client.request(`${path}/${encodeURIComponent(id)}`);
        write(options.json ? reply.text : dump(reply.parse(z.looseObject({})), { lineWidth: -1 }));
        return;
      }
      const all = await everyPage(client, path, options.tags);
      const rows = all.map(({ id: name, tags }) => [name, tags.join(" ")]);
      write(options.json ? `${JSON.stringify(all)}\n` : formatTable(["ID", "TAGS"], rows));
    });
}

async function everyPage(client: AdminClient, path: string, tags: string | undefined): Promise<Resource[]> {
  const query = new URLSearchParams({ size: String(PAGE_SIZE), ...(tags === undefined ? {} : { tags }) });
  const all: Resource[] = [];
  for (let next: string | null = `${path}?${query}`; next !== null; ) {
    const page: z.output<typeof Page> = (await client.request(next)).parse(Page);
    all.push(...page.data);
    next = page.next;
  }
  return all;
}
