import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import type { Command } from "commander";
import { CommandError } from "../command-error.ts";
import type { Terminal } from "../terminal.ts";
import type { CommandContext } from "./command-context.ts";

interface JoinCommandOptions {
  readonly controlPlane: string;
  readonly token?: string;
  readonly tokenFile?: string;
  readonly nodeId?: string;
  readonly serverName?: string;
  readonly proxy?: URL;
  readonly dir: string;
  readonly force: boolean;
}

const DEFAULT_DIRECTORY = "/var/lib/runway/identity";

export function addJoin(program: Command, context: CommandContext): void {
  program
    .command("join")
    .description("get this machine a node's certificate from a control plane; its key is made here and stays here")
    .requiredOption("--control-plane <address>", "where data planes connect to it: host:port")
    .option("--token <token>", "as `runway nodes invite` makes it; seen by everybody on this machine while it is used")
    .option("--token-file <file>", "a file that holds it; - for standard input")
    .option("--node-id <id>", "the id that the node wants, where the token does not say; a fresh one when not given")
    .option("--server-name <name>", "the name in the control plane's certificate, where that is not its host")
    .option("--proxy <url>", "an HTTP proxy on the way, as http://user:password@proxy:3128", proxyOf)
    .option(
      "--dir <directory>",
      "where node.pem (its key and its certificate) and ca.crt are written",
      DEFAULT_DIRECTORY,
    )
    .option("--force", "replace the node's key and certificate that are there", false)
    .action((options: JoinCommandOptions) => join(options, context));
}

async function join(options: JoinCommandOptions, { terminal }: CommandContext): Promise<void> {
  const token = await tokenOf(options, terminal);
  const { IdentityFiles } = await import("../pki/identity-files.ts");
  const files = IdentityFiles.in(resolve(options.dir));
  await files.claim({ force: options.force });
  const { createRequest } = await import("../pki/certificate-request.ts");
  const { joinControlPlane } = await import("../../sync/join/join-control-plane.ts");
  const { request, key } = await createRequest();
  const { controlPlane: address, nodeId, serverName, proxy } = options;
  const issued = await joinControlPlane({ address, token, request, nodeId, serverName, proxy });
  await files.write({ key, certificate: issued.certificate, authorities: issued.authorities });
  terminal.complain(`This machine is node ${issued.node_id} now. Its configuration needs:\n`);
  terminal.write(blockOf(issued.node_id, options, files));
}

async function tokenOf({ token, tokenFile }: JoinCommandOptions, terminal: Terminal): Promise<string> {
  if ((token === undefined) === (tokenFile === undefined))
    throw new CommandError("usage", "Give the token with --token-file, or with --token.");
  if (token !== undefined) return token;
  try {
    return tokenFile === "-" ? await terminal.readInput() : readFileSync(tokenFile!, "utf8");
  } catch (cause) {
    throw new CommandError("usage", `${tokenFile} cannot be read: ${(cause as Error).message}`, { cause });
  }
}

function proxyOf(text: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new CommandError("usage", "--proxy must be a URL such as http://user:password@proxy:3128");
}

function blockOf(
  nodeId: string,
  { controlPlane, serverName, proxy }: JoinCommandOptions,
  { identityFile, authoritiesFile }: { readonly identityFile: string; readonly authoritiesFile: string },
): string {
  const named = serverName === undefined ? "" : `\n      server_name: ${serverName}`;
  const through = proxy === undefined ? "" : `    proxy: ${JSON.stringify(proxy.href)}\n`;
  return `cluster:
  role: data_plane
  data_plane:
    address: ${JSON.stringify(controlPlane)}
    node_id: ${nodeId}
${through}    tls:
      enabled: true
      cert_file: ${identityFile}
      key_file: ${identityFile}
      ca_file: ${authoritiesFile}${named}
      renew: true
`;
}
