import { type Command, Option } from "commander";
import { AdminClient } from "../admin-client.ts";
import type { Terminal } from "../terminal.ts";

/** What every command gets; `exitCode` is what it leaves behind. */
export interface CommandContext {
  readonly terminal: Terminal;
  exitCode: number;
}

/** For commands that ask a running node. */
export interface AdminOptions {
  readonly admin: string;
  readonly json: boolean;
}

/** The environment of a node: what is meant for the command line is no setting of it. */
export function nodeEnvironment({ env }: Terminal): Terminal["env"] {
  const { RUNWAY_ADMIN_URL: _, ...rest } = env;
  return rest;
}

/** A subcommand with `--admin` and `--json`. */
export function adminCommand(program: Command, name: string, { terminal }: CommandContext): Command {
  const url = terminal.env.RUNWAY_ADMIN_URL;
  return program
    .command(name)
    .addOption(
      new Option("--admin <url>", "the admin API to ask; RUNWAY_ADMIN_URL when not given").default(
        url === undefined || url === "" ? "http://127.0.0.1:8081" : url,
      ),
    )
    .option("--json", "print what the admin API answers, for programs", false);
}

export function clientOf({ admin }: AdminOptions): AdminClient {
  return new AdminClient(admin);
}
