import { Argument, type Command } from "commander";
import type { CommandContext } from "./command-context.ts";

export function addHash(program: Command, context: CommandContext): void {
  program
    .command("hash")
    .description("print the hash of a key or a password from standard input, as a consumer's credentials have it")
    .addArgument(new Argument("<plugin>", "what it is for").choices(["api_key", "basic_auth"]))
    .addHelpText(
      "after",
      "\nExamples:\n  openssl rand -hex 24 | tee key.txt | runway hash api_key\n  runway hash basic_auth < password.txt",
    )
    .action(async (plugin: string) => {
      const secret = (await context.terminal.readInput()).replace(/[\r\n]+$/, "");
      const { hashApiKey } = await import("../../plugins/api_key/plugin.ts");
      const { hashPassword } = await import("../../plugins/basic_auth/password-hash.ts");
      context.terminal.write(`${plugin === "api_key" ? hashApiKey(secret) : await hashPassword(secret)}\n`);
    });
}
