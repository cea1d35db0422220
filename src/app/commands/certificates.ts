import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { z } from "zod";
import { normalizeFingerprint, normalizeSerial, REVOKED_KINDS } from "../../config/revocation-list.ts";
import { CommandError } from "../command-error.ts";
import { formatTable } from "../table.ts";
import { type AdminOptions, adminCommand, type CommandContext, clientOf } from "./command-context.ts";

const PATH = "/api/v1/revocations";
const RevocationList = z.object({
  data: z.array(
    z.object({
      kind: z.string(),
      value: z.string(),
      reason: z.string(),
      revoked_at: z.string(),
      revoked_by: z.string(),
    }),
  ),
});

interface RevokeOptions extends AdminOptions {
  readonly reason: string;
  readonly file?: string;
}

export function addCertificates(program: Command, context: CommandContext): void {
  const certificates = program.command("certificates").description("refuse certificates of nodes that are still valid");

  withReason(adminCommand(certificates, "revoke", context))
    .description("refuse a certificate from now on, on every control plane of the store, and end its streams")
    .argument("[certificate]", "its serial number or its SHA-256 fingerprint, in hexadecimal digits")
    .option("--file <file>", "the certificate itself, PEM, instead")
    .addHelpText(
      "after",
      "\nExamples:\n  runway certificates revoke 5f:0a:…\n  runway certificates revoke --file edge-1.crt",
    )
    .action((certificate: string | undefined, options: RevokeOptions) =>
      revoke(certificateOf(certificate, options.file), options, context),
    );

  adminCommand(certificates, "revoked", context)
    .description("list what was revoked")
    .action(async (options: AdminOptions) => {
      const reply = await clientOf(options, context).request(PATH);
      if (options.json) return context.terminal.write(reply.text);
      const rows = reply
        .parse(RevocationList)
        .data.map(({ kind, value, revoked_at, revoked_by, reason }) => [kind, value, revoked_at, revoked_by, reason]);
      if (rows.length === 0) return context.terminal.write("Nothing was revoked.\n");
      context.terminal.write(formatTable(["KIND", "VALUE", "REVOKED", "BY", "REASON"], rows));
    });

  adminCommand(certificates, "reinstate", context)
    .description("accept again what was revoked by mistake")
    .addArgument(
      certificates.createArgument("<kind>", "as `runway certificates revoked` shows it").choices(REVOKED_KINDS),
    )
    .argument("<value>", "likewise")
    .action(async (kind: string, value: string, options: AdminOptions) => {
      const path = `${PATH}/${kind}/${encodeURIComponent(value)}`;
      const reply = await clientOf(options, context).request(path, { method: "DELETE" });
      context.terminal.write(options.json ? reply.text : `The ${kind} ${value} is accepted again.\n`);
    });
}

/** Beneath `runway nodes`. */
export function addNodeRevoke(nodes: Command, context: CommandContext): void {
  withReason(adminCommand(nodes, "revoke", context))
    .description("refuse a node: whatever certificate speaks for it now, on every control plane, and end its streams")
    .argument("<node-id>", "as `runway nodes` shows it")
    .action((nodeId: string, options: RevokeOptions) => revoke({ node_id: nodeId }, options, context));
}

function withReason(command: Command): Command {
  return command.addOption(
    new Option("--reason <text>", "told to whoever is refused, and kept in the audit log").default(""),
  );
}

async function revoke(
  named: Readonly<Record<string, string>>,
  options: RevokeOptions,
  context: CommandContext,
): Promise<void> {
  const reply = await clientOf(options, context).request(PATH, {
    method: "POST",
    body: JSON.stringify({ ...named, reason: options.reason }),
    contentType: "application/json",
  });
  if (options.json) return context.terminal.write(reply.text);
  for (const { kind, value } of reply.parse(RevocationList).data)
    context.terminal.write(`The ${kind} ${value} is revoked.\n`);
}

function certificateOf(text: string | undefined, file: string | undefined): Readonly<Record<string, string>> {
  if ((text === undefined) === (file === undefined))
    throw new CommandError("usage", "Name the certificate: its serial number, its fingerprint, or --file.");
  if (file !== undefined) return { fingerprint: fingerprintOf(file) };
  if (normalizeFingerprint(text!) !== undefined) return { fingerprint: text! };
  if (normalizeSerial(text!) !== undefined) return { serial_number: text! };
  throw new CommandError("usage", `${JSON.stringify(text)} is neither a serial number nor a SHA-256 fingerprint.`);
}

function fingerprintOf(file: string): string {
  try {
    return new X509Certificate(readFileSync(file)).fingerprint256;
  } catch (cause) {
    throw new CommandError("usage", `${file} cannot be read as a certificate: ${(cause as Error).message}`, { cause });
  }
}
