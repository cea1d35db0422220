import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { AdminClient } from "../admin-client.ts";
import { CommandError } from "../command-error.ts";
import type { Terminal } from "../terminal.ts";

/** What every command gets; `exitCode` is what it leaves behind. */
export interface CommandContext {
  readonly terminal: Terminal;
  exitCode: number;
}

/** For commands that ask a running node. */
export interface AdminOptions {
  readonly admin: string;
  readonly tokenFile?: string;
  readonly caFile?: string;
  readonly certFile?: string;
  readonly keyFile?: string;
  readonly json: boolean;
}

const VARIABLES = { admin: "RUNWAY_ADMIN_URL", token: "RUNWAY_TOKEN", caFile: "RUNWAY_CA_FILE" } as const;

/** The environment of a node: what is meant for the command line is no setting of it. */
export function nodeEnvironment({ env }: Terminal): Terminal["env"] {
  const forCommands: readonly string[] = Object.values(VARIABLES);
  return Object.fromEntries(Object.entries(env).filter(([name]) => !forCommands.includes(name)));
}

/** A subcommand with `--json` and what it takes to ask an admin API. */
export function adminCommand(program: Command, name: string, { terminal }: CommandContext): Command {
  const given = (variable: string) => terminal.env[variable] || undefined;
  return program
    .command(name)
    .addOption(
      new Option("--admin <url>", `the admin API to ask; ${VARIABLES.admin} when not given`).default(
        given(VARIABLES.admin) ?? "http://127.0.0.1:8081",
      ),
    )
    .option("--token-file <file>", `a file that holds a token; ${VARIABLES.token} holds one itself`)
    .addOption(
      new Option(
        "--ca-file <file>",
        `the authority of its certificate, PEM; ${VARIABLES.caFile} when not given`,
      ).default(given(VARIABLES.caFile)),
    )
    .option("--cert-file <file>", "a client certificate to show it, PEM")
    .option("--key-file <file>", "the key of that certificate, PEM")
    .option("--json", "print what the admin API answers, for programs", false);
}

/** A token is never an argument: arguments are seen by everybody on the machine. */
export function clientOf(options: AdminOptions, { terminal }: CommandContext): AdminClient {
  const { admin, tokenFile, caFile, certFile, keyFile } = options;
  const token = tokenFile === undefined ? terminal.env[VARIABLES.token] || undefined : contentOf(tokenFile)?.trim();
  return new AdminClient(admin, { token, ca: contentOf(caFile), cert: contentOf(certFile), key: contentOf(keyFile) });
}

function contentOf(file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  try {
    return readFileSync(file, "utf8");
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new CommandError("usage", `${file} cannot be read: ${reason}.`, { cause });
  }
}
