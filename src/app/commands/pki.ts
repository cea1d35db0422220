import { type Command, InvalidArgumentError } from "commander";
import type { KeyPair } from "../pki/certificate.ts";
import { KeyStore } from "../pki/key-store.ts";
import type { CommandContext } from "./command-context.ts";

interface PkiOptions {
  readonly dir: string;
  readonly days: number;
  readonly force: boolean;
}

const AUTHORITY = "ca";

/** The certificate library takes a while to load, for which no other command should wait. */
const certificates = () => import("../pki/certificate.ts");

export function addPki(program: Command, context: CommandContext): void {
  const pki = program.command("pki").description("make the certificates of a cluster");
  const issue = pki.command("issue").description("make a certificate for one node, signed by the authority of --dir");

  withOptions(pki.command("init"), 3_650)
    .description(
      "make a certificate authority: ca.crt, to be given to every node, and ca.key, to be kept from all of them",
    )
    .action(async (options: PkiOptions) => {
      const { createAuthority } = await certificates();
      await save(AUTHORITY, await createAuthority(options), options, context);
    });

  withOptions(issue.command("cp"), 365)
    .description("the certificate of a control plane")
    .requiredOption("--host <name...>", "the names and addresses under which data planes reach it")
    .option("--name <name>", "what the files are called", nameOf, "cp")
    .addHelpText("after", "\nExample:\n  runway pki issue cp --host cp.example.com 10.0.0.5")
    .action(async (options: PkiOptions & { host: string[]; name: string }) => {
      const { issueControlPlane } = await certificates();
      const pair = await issueControlPlane(await new KeyStore(options.dir).read(AUTHORITY), {
        ...options,
        hosts: options.host,
      });
      await save(options.name, pair, options, context);
    });

  withOptions(issue.command("dp"), 365)
    .description("the certificate of a data plane; it may speak for this node id alone")
    .requiredOption("--node-id <id>", "the node's id, as in cluster.data_plane.node_id", nameOf)
    .option("--trust-domain <name>", "the trust domain in the certificate", "runway")
    .option("--name <name>", "what the files are called; as the node when not given", nameOf)
    .addHelpText("after", "\nExample:\n  runway pki issue dp --node-id edge-1")
    .action(async (options: PkiOptions & { nodeId: string; trustDomain: string; name?: string }) => {
      const { issueDataPlane } = await certificates();
      const pair = await issueDataPlane(await new KeyStore(options.dir).read(AUTHORITY), options);
      await save(options.name ?? options.nodeId, pair, options, context);
    });
}

function withOptions(command: Command, days: number): Command {
  return command
    .option("--dir <directory>", "where certificates and keys are kept", "pki")
    .option("--days <number>", "how long it is valid", daysOf, days)
    .option("--force", "replace what is there", false);
}

async function save(
  name: string,
  pair: KeyPair,
  { dir, force }: PkiOptions,
  { terminal }: CommandContext,
): Promise<void> {
  const store = new KeyStore(dir);
  await store.write(name, pair, { force });
  terminal.write(`${store.certificatePath(name)}\n${store.keyPath(name)}  (secret)\n`);
}

function daysOf(text: string): number {
  const days = Number(text);
  if (Number.isInteger(days) && days >= 1 && days <= 36_500) return days;
  throw new InvalidArgumentError("Give a whole number of days from 1 to 36500.");
}

/** Safe as the name of a file and in a URI, and the shape that a node id must have anyway. */
function nameOf(text: string): string {
  if (/^[A-Za-z0-9](?:[A-Za-z0-9._-]{0,126}[A-Za-z0-9])?$/.test(text)) return text;
  throw new InvalidArgumentError(
    "Give 1 to 128 letters, digits, '.', '_' or '-', beginning and ending with a letter or digit.",
  );
}
