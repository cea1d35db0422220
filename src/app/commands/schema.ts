import type { Command } from "commander";
import type { CommandContext } from "./command-context.ts";
import { houseLanguage } from "./house-language.ts";

export function addSchema(program: Command, context: CommandContext): void {
  program
    .command("schema")
    .description("print the JSON Schema of configurations, for editors")
    .addHelpText(
      "after",
      "\nExample:\n  runway schema > runway.schema.json   # and in the file: # yaml-language-server: $schema=runway.schema.json",
    )
    .action(async () => {
      const { z } = await import("zod");
      const { NODE_SCHEMA } = await import("../../config/node-settings.ts");
      const { document } = await houseLanguage();
      const schema = z.toJSONSchema(NODE_SCHEMA.extend(document.shape), { io: "input", unrepresentable: "any" });
      context.terminal.write(`${JSON.stringify(schema, null, 2)}\n`);
    });
}
