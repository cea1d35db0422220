import { tellIdentityStory } from "../../test/support/identity-story.ts";
import { requireTools } from "../debian-tools.ts";
import { requireOpenFiles } from "../open-files.ts";
import { describeSurroundings } from "../surroundings.ts";
import { renderTable } from "../table.ts";
import { writeResult } from "../write-result.ts";

export interface IdentityOptions {
  readonly nodes: number;
  readonly resultsFolder: string;
}

/**
 * What it costs a fleet that everybody's certificate is replaced while the configuration changes ten times a second: nodes that are real
 * clients of the protocol in this process, and the control plane as a process of its own.
 */
export async function benchmarkIdentity({ nodes, resultsFolder }: IdentityOptions): Promise<void> {
  requireTools(["git"]);
  requireOpenFiles(nodes);
  const surroundings = await describeSurroundings();
  const figures = await tellIdentityStory(nodes);
  const rows = Object.entries(figures).map(([name, value]) => [name, value.toFixed(0)]);
  console.log(`\n${renderTable(rows)}\n`);
  console.log(
    `written to ${await writeResult(resultsFolder, "identity", surroundings, { flags: { nodes }, figures })}`,
  );
}
