import { type Command, InvalidArgumentError, Option } from "commander";
import { z } from "zod";
import type { AdminRole } from "../../config/node-settings.ts";
import { describeProblem } from "../../config/problem.ts";
import { parseDuration } from "../../core/duration.ts";
import { CommandError } from "../command-error.ts";
import { formatTable } from "../table.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const Token = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  status: z.string(),
  created_at: z.string(),
  created_by: z.string(),
  expires_at: z.string().nullable(),
});
const Created = Token.extend({ token: z.string() });

interface CreateOptions extends AdminOptions {
  readonly role: AdminRole;
  readonly expiresIn?: string;
  readonly file?: string;
}

const FIRST_TOKEN = `
The first token of a node is made on its machine: on loopback the admin API asks for none unless it is told to
(admin.require_authentication), or write one to the node's file (admin.tokens_file) with --file.

Examples:
  runway token create ci --role operator --expires-in 480h
  runway token create root --role administrator --file /etc/runway/tokens.yaml`;

export function addToken(program: Command, context: CommandContext): void {
  const token = program.command("token").description("say who may use the admin API");

  adminCommand(token, "create", context)
    .description("make a token; its secret is printed once and kept nowhere")
    .argument("<name>", "who it is for")
    .addOption(
      new Option("--role <role>", "what its bearer may do: look, also change the configuration, also make tokens")
        .choices(["viewer", "operator", "administrator"])
        .default("viewer"),
    )
    .option(
      "--expires-in <duration>",
      "how long it is valid, such as 480h; until it is revoked when not given",
      durationOf,
    )
    .option("--file <file>", "add its hash to this file instead of asking an admin API")
    .addHelpText("after", FIRST_TOKEN)
    .action((name: string, options: CreateOptions) => create(name, options, context));

  adminCommand(token, "list", context)
    .description("list the tokens of a control plane")
    .action(async (options: AdminOptions) => {
      const reply = await clientOf(options, context).request("/api/v1/tokens");
      if (options.json) return context.terminal.write(reply.text);
      const { data } = reply.parse(z.object({ data: z.array(Token) }));
      const rows = data.map(({ id, name, role, status, created_by, expires_at }) => [
        id,
        name,
        role,
        status,
        created_by,
        expires_at ?? "never",
      ]);
      context.terminal.write(formatTable(["ID", "NAME", "ROLE", "STATUS", "CREATED BY", "EXPIRES"], rows));
    });

  adminCommand(token, "revoke", context)
    .description("revoke a token of a control plane; from then on it is refused")
    .argument("<id>", "as `runway token list` shows it")
    .action(async (id: string, options: AdminOptions) => {
      const path = `/api/v1/tokens/${encodeURIComponent(id)}`;
      const reply = await clientOf(options, context).request(path, { method: "DELETE" });
      const { name } = reply.parse(Token);
      context.terminal.write(options.json ? reply.text : `The token of ${name} is revoked.\n`);
    });
}

/** The secret alone goes to standard output, so that it can be sent on: `runway token create ci > ci.token`. */
async function create(name: string, options: CreateOptions, context: CommandContext): Promise<void> {
  const { terminal } = context;
  if (options.file !== undefined) return terminal.write(`${await createInFile(name, options.file, options)}\n`);
  const body = JSON.stringify({ name, role: options.role, expires_in: options.expiresIn });
  const reply = await clientOf(options, context).request("/api/v1/tokens", {
    method: "POST",
    body,
    contentType: "application/json",
  });
  if (options.json) return terminal.write(reply.text);
  const { id, token } = reply.parse(Created);
  terminal.complain(`The token ${id} of ${name} may act as ${options.role}. Keep its secret, it is not shown again:\n`);
  terminal.write(`${token}\n`);
}

async function createInFile(name: string, file: string, { role, expiresIn }: CreateOptions): Promise<string> {
  const { addToken } = await import("../tokens/tokens-file.ts");
  const expiresAtMs = expiresIn === undefined ? undefined : Date.now() + parseDuration(expiresIn)!;
  const added = await addToken(file, { name, role, expiresAtMs });
  if (added.ok) return added.value;
  throw new CommandError("invalid", `${file}: ${added.problems.map(describeProblem).join("; ")}`);
}

function durationOf(text: string): string {
  if ((parseDuration(text) ?? 0) > 0) return text;
  throw new InvalidArgumentError("Give a duration such as 480h.");
}
