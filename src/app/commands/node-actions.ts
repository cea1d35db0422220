import type { Command } from "commander";
import { z } from "zod";
import type { AdminClient } from "../admin-client.ts";
import { CommandError } from "../command-error.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const Answer = z.record(z.string(), z.json());

/** What `runway nodes` has nodes do: each takes one or more ids, asks each node through the control plane, and goes on where one fails. */
export function addNodeActions(nodes: Command, context: CommandContext): void {
  action(nodes, context, { name: "about", method: "GET", path: "about", description: "say what a node is" });
  action(nodes, context, {
    ...{ name: "drain", method: "POST", path: "drain" },
    description: "stop being ready, end connections politely, and after a delay accept no new ones",
    options: [["--delay <time>", "until no new connections are accepted, such as 30s", "delay"]],
  });
  action(nodes, context, { name: "undrain", method: "DELETE", path: "drain", description: "take traffic again" });
  action(nodes, context, {
    ...{ name: "log-level", path: "log-level" },
    description: "show the level of the log, or set it for a while",
    options: [
      ["--set <level>", "debug, info, warn or error", "level"],
      ["--for <time>", "after which it is as configured again; 15m", "for"],
    ],
    method: ({ set }) => (set === undefined ? "GET" : "PUT"),
  });
  action(nodes, context, {
    ...{ name: "resync", method: "POST", path: "resync" },
    description: "have everything sent, verified and applied anew",
  });
  action(nodes, context, {
    ...{ name: "renew", method: "POST", path: "renew" },
    description: "have the node's certificate renewed soon",
  });
  action(nodes, context, { name: "counters", method: "GET", path: "counters", description: "count at this moment" });
  action(nodes, context, {
    ...{ name: "configuration", method: "GET", path: "configuration" },
    description: "say what a node runs, its own listeners and logging included",
    options: [
      ["--kind <kind>", "of resources to be shown", "kind"],
      ["--id <id>", "of the one to be shown", "id"],
    ],
  });
  action(nodes, context, {
    ...{ name: "explain", method: "GET", path: "explain" },
    description: "say which of a node's routes answers a request",
    options: [
      ["--url <url>", "https://host/path?query, or only a path", "url"],
      ["--method <method>", "GET when not given", "method"],
    ],
  });
}

type Method = "GET" | "POST" | "PUT" | "DELETE";
type Given = Readonly<Record<string, unknown>>;

interface Action {
  readonly name: string;
  readonly description: string;
  readonly method: Method | ((given: Given) => Method);
  readonly path: string;
  /** Flags, what they are for, and the query parameter that they become. */
  readonly options?: readonly (readonly [flags: string, description: string, parameter: string])[];
}

function action(nodes: Command, context: CommandContext, definition: Action): void {
  const { name, description, options = [] } = definition;
  const command = adminCommand(nodes, name, context).description(description).argument("<ids...>", "of nodes");
  for (const [flags, text] of options) command.option(flags, text);
  command.action(async (ids: readonly string[], given: AdminOptions & Given) => {
    const client = clientOf(given, context);
    for (const id of ids) await ask(client, id, definition, given, context);
  });
}

/** A node that refuses keeps none of the others from being asked. */
async function ask(
  client: AdminClient,
  id: string,
  { method, path, options = [] }: Action,
  given: AdminOptions & Given,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  const query = new URLSearchParams(
    options.flatMap(([flags, , parameter]) => {
      const value = given[/--(\w+)/.exec(flags)![1]!];
      return value === undefined ? [] : [[parameter, String(value)]];
    }),
  );
  try {
    const target = `/api/v1/data-planes/${encodeURIComponent(id)}/${path}${query.size === 0 ? "" : `?${query}`}`;
    const reply = await client.request(target, { method: typeof method === "string" ? method : method(given) });
    terminal.write(given.json ? reply.text : formatTable(["NODE", id], rowsOf(reply.parse(Answer))));
  } catch (error) {
    if (!(error instanceof CommandError) || error.reason === "unreachable") throw error;
    context.exitCode = EXIT[error.reason];
    terminal.complain(`runway: ${id}: ${error.message}\n`);
  }
}

function rowsOf(answer: z.output<typeof Answer>): [string, unknown][] {
  return Object.entries(answer).map(([name, value]) => [
    name,
    typeof value === "object" && value !== null ? JSON.stringify(value) : value,
  ]);
}
