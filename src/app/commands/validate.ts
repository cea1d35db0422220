import type { Command } from "commander";
import type { EffectiveSetting } from "../../config/effective-settings.ts";
import type { LoadedNode } from "../../config/load-node.ts";
import { describeProblem, type Problem } from "../../config/problem.ts";
import { counted } from "../counted.ts";
import { EXIT } from "../exit-codes.ts";
import { formatTable } from "../table.ts";
import { type CommandContext, nodeEnvironment } from "./command-context.ts";
import { DEFAULT_FILE, readNodeFile } from "./read-document.ts";

interface ValidateOptions {
  readonly config?: string;
  readonly effective: boolean;
  readonly json: boolean;
}

export function addValidate(program: Command, context: CommandContext): void {
  program
    .command("validate")
    .description("check a node's configuration; lists every problem with its place")
    .option("-c, --config <file>", `the configuration; ./${DEFAULT_FILE} when not given`)
    .option("--effective", "show every setting in force and where it comes from", false)
    .option("--json", "print JSON, for programs", false)
    .addHelpText(
      "after",
      "\nExamples:\n  runway validate -c edge.yaml\n  runway validate -c edge.yaml --effective | grep admin",
    )
    .action(async (options: ValidateOptions) => {
      const text = await readNodeFile(options.config, context.terminal);
      const file = options.config ?? DEFAULT_FILE;
      const { loadNode } = await import("../../config/load-node.ts");
      const { loadLanguage } = await import("../node/load-language.ts");
      const { effectiveSettings } = await import("../../config/effective-settings.ts");
      const env = nodeEnvironment(context.terminal);
      const extended = await loadLanguage(text, file, env);
      const node = extended.ok ? loadNode(extended.value.language, { text, file, env }) : extended;
      if (!extended.ok || !node.ok) {
        context.exitCode = EXIT.invalid;
        reportProblems(node.ok ? [] : node.problems, file, options, context);
      } else if (options.effective)
        reportSettings(effectiveSettings(extended.value.language, node.value), options, context);
      else reportValid(node.value, file, options, context);
    });
}

function reportSettings(
  settings: readonly EffectiveSetting[],
  { json }: ValidateOptions,
  { terminal }: CommandContext,
): void {
  const rows = settings.map(({ path, value, origin }) => [path, JSON.stringify(value), origin]);
  terminal.write(json ? `${JSON.stringify(settings)}\n` : formatTable(["SETTING", "VALUE", "FROM"], rows));
}

function reportValid(
  { settings, document }: LoadedNode,
  file: string,
  { json }: ValidateOptions,
  { terminal }: CommandContext,
): void {
  const count = (kind: string) => counted(document.entries.filter((entry) => entry.kind === kind).length, kind);
  const summary = [settings.cluster.role, count("listener"), count("route"), count("upstream")].join(", ");
  terminal.write(json ? `${JSON.stringify({ valid: true, problems: [] })}\n` : `${file} is valid: ${summary}\n`);
}

function reportProblems(
  problems: readonly Problem[],
  file: string,
  { json }: ValidateOptions,
  { terminal }: CommandContext,
): void {
  if (json) {
    terminal.write(`${JSON.stringify({ valid: false, problems })}\n`);
    return;
  }
  for (const problem of problems) terminal.complain(`${file}: ${describeProblem(problem)}\n`);
  terminal.complain(`${file} is not valid: ${counted(problems.length, "problem")}\n`);
}
