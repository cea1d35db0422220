import { writeFile } from "node:fs/promises";
import type { Command } from "commander";
import { type Checked, describeProblem } from "../../config/problem.ts";
import type { Imported } from "../../import/imported-document.ts";
import { CommandError } from "../command-error.ts";
import { counted } from "../counted.ts";
import { EXIT } from "../exit-codes.ts";
import type { CommandContext } from "./command-context.ts";
import { houseLanguage } from "./house-language.ts";
import { readDocument } from "./read-document.ts";

interface ImportOptions {
  readonly output?: string;
  readonly strict: boolean;
  readonly json: boolean;
}

export function addImport(program: Command, context: CommandContext): void {
  const importing = program.command("import").description("make a configuration of what another gateway has");

  withOptions(importing.command("kong"))
    .description("from a Kong declarative file, format 3.0")
    .argument("<file>", "the file; - reads standard input")
    .option("--allow-unprotected", "open what a missing plugin protected, instead of closing it and failing", false)
    .addHelpText(
      "after",
      `
A route whose access is controlled by a plugin that has no counterpart answers 403 to everybody, and the command
exits with ${EXIT.failed}, until you have protected it in another way or accept it with --allow-unprotected.

Example:
  runway import kong kong.yaml -o runway.yaml && runway validate -c runway.yaml`,
    )
    .action(async (file: string, options: ImportOptions & { allowUnprotected: boolean }) => {
      // Each dialect is loaded only when it is asked for.
      const { importKong } = await import("../../import/kong/import-kong.ts");
      const { hashApiKey } = await import("../../plugins/api_key/plugin.ts");
      const { hashPassword } = await import("../../plugins/basic_auth/password-hash.ts");
      const hashes = { apiKey: hashApiKey, password: hashPassword };
      const text = await readDocument(file, context.terminal);
      const { allowUnprotected } = options;
      await report(await importKong(await houseLanguage(), text, { hashes, allowUnprotected }), file, options, context);
    });

  withOptions(importing.command("openapi"))
    .description("routes from an OpenAPI description, 3.0 or 3.1, as YAML or JSON")
    .argument("<file>", "the file; - reads standard input")
    .option("--target <url>", "where requests go; the first server of the description when not given", targetOf)
    .addHelpText("after", "\nExample:\n  runway import openapi pets.yaml --target http://pets:8080 | runway push -")
    .action(async (file: string, options: ImportOptions & { target?: string }) => {
      const { importOpenApi } = await import("../../import/openapi/import-openapi.ts");
      const { target } = options;
      const text = await readDocument(file, context.terminal);
      await report(
        importOpenApi(await houseLanguage(), text, target === undefined ? {} : { target }),
        file,
        options,
        context,
      );
    });
}

function withOptions(command: Command): Command {
  return command
    .option("-o, --output <file>", "where the configuration goes; standard output when not given")
    .option("--strict", "fail when anything is left out", false)
    .option("--json", "print the configuration and what became of everything as JSON, for programs", false);
}

/** The configuration goes to standard output, so what there is to say about it goes to standard error. */
async function report(
  imported: Checked<Imported>,
  file: string,
  { output, strict, json }: ImportOptions,
  context: CommandContext,
): Promise<void> {
  const { terminal } = context;
  if (!imported.ok) {
    context.exitCode = EXIT.invalid;
    for (const problem of imported.problems) terminal.complain(`${file}: ${describeProblem(problem)}\n`);
    terminal.complain(`${file} cannot be imported: ${counted(imported.problems.length, "problem")}\n`);
    return;
  }
  const { yaml, findings } = imported.value;
  const { describeFindings } = await import("../../import/import-report.ts");
  if (!json) terminal.complain(describeFindings(findings));
  const text = json ? `${JSON.stringify({ yaml, findings })}\n` : yaml;
  if (output === undefined) terminal.write(text);
  else await save(output, text);
  const isLost = findings.some(({ outcome }) => outcome === "closed" || (strict && outcome === "left out"));
  if (isLost) context.exitCode = EXIT.failed;
}

/** Readable by its owner alone, since it may hold secrets. */
async function save(path: string, text: string): Promise<void> {
  try {
    await writeFile(path, text, { mode: 0o600 });
  } catch (cause) {
    throw new CommandError("failed", `${path} cannot be written: ${cause instanceof Error ? cause.message : cause}`, {
      cause,
    });
  }
}

function targetOf(text: string): string {
  if (/^https?:$/.test(URL.parse(text)?.protocol ?? "")) return text;
  throw new CommandError("usage", `--target ${text} is not a URL such as http://pets:8080`);
}
