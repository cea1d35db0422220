import type { Command } from "commander";
import { load, YAMLException } from "js-yaml";
import { CommandError } from "../command-error.ts";
import { type ChangeOptions, changeOptions, changeResources } from "./changed-resources.ts";
import { adminCommand, type CommandContext } from "./command-context.ts";
import { readDocument } from "./read-document.ts";

export function addChange(program: Command, context: CommandContext): void {
  changeOptions(adminCommand(program, "change", context))
    .description("change many resources of a control plane at once: all of them in one version, or none")
    .argument(
      "<file>",
      "YAML or JSON with `upserts` (kind, id, spec) and `removals` (kind, id); - reads standard input",
    )
    .addHelpText(
      "after",
      `
Examples:
  runway change move.yaml --dry-run
  echo '{"removals": [{"kind": "route", "id": "old"}]}' | runway change - --if-version 41 -m "nobody asks for it"`,
    )
    .action(async (file: string, options: ChangeOptions) => {
      const text = await readDocument(file, context.terminal);
      await changeResources("/api/v1/changes", JSON.stringify(readYaml(text, file)), options, context);
    });
}

function readYaml(text: string, file: string): unknown {
  try {
    return load(text) ?? {};
  } catch (cause) {
    const reason =
      cause instanceof YAMLException ? `line ${(cause.mark?.line ?? 0) + 1}: ${cause.reason}` : String(cause);
    throw new CommandError("invalid", `${file} is not valid YAML: ${reason}.`, { cause });
  }
}
