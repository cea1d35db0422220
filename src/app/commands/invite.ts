import { type Command, InvalidArgumentError } from "commander";
import { z } from "zod";
import { parseDuration } from "../../core/duration.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const Invitation = z.object({ token: z.string(), expires_at: z.string() });

interface InviteOptions extends AdminOptions {
  readonly nodeId?: string;
  readonly expiresIn: string;
}

/** Beneath `runway nodes`. */
export function addInvite(nodes: Command, context: CommandContext): void {
  adminCommand(nodes, "invite", context)
    .description("make a token by which one node joins: it then has a certificate, and its key never left it")
    .option("--node-id <id>", "the only node that may join with it, also in the place of one that exists")
    .option("--expires-in <duration>", "how long it can be used", durationOf, "1h")
    .addHelpText(
      "after",
      "\nExample, here and then on the node:\n  runway nodes invite --node-id edge-1 > edge-1.token\n  runway join --control-plane cp.example.com:9443 --token-file edge-1.token",
    )
    .action(async (options: InviteOptions) => {
      const { terminal } = context;
      const body = JSON.stringify({ node_id: options.nodeId, expires_in: options.expiresIn });
      const reply = await clientOf(options, context).request("/api/v1/join-tokens", {
        method: "POST",
        body,
        contentType: "application/json",
      });
      if (options.json) return terminal.write(reply.text);
      const { token, expires_at } = reply.parse(Invitation);
      terminal.complain(`One node may join with this token until ${expires_at}. It is not shown again:\n`);
      terminal.write(`${token}\n`);
    });
}

function durationOf(text: string): string {
  if ((parseDuration(text) ?? 0) > 0) return text;
  throw new InvalidArgumentError("Give a duration such as 1h.");
}
