import { readFile } from "node:fs/promises";
import type { ConfigurationChange } from "../../admin/configuration-change.ts";
import { toResources } from "../../config/document.ts";
import { loadNode } from "../../config/load-node.ts";
import { type Checked, checked, describeProblem, refused } from "../../config/problem.ts";
import type { Resource } from "../../config/resource.ts";
import { RunwayError } from "../../core/failure.ts";
import type { NodeContext } from "./node-context.ts";

/** What the node's file says about the gateway, read anew. A changed setting of the node itself takes effect at its next start. */
export async function readFileAgain({ language, file, env }: NodeContext): Promise<Checked<readonly Resource[]>> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    return refused([{ path: "", message: `the file cannot be read: ${(error as Error).message}` }]);
  }
  const loaded = loadNode(language, { text, file, env });
  return loaded.ok ? checked(toResources(loaded.value.document)) : loaded;
}

/** The first configuration has to be taken; otherwise the node does not start. */
export function requireAccepted(change: ConfigurationChange): void {
  if (change.outcome === "accepted") return;
  const kind = change.outcome === "invalid" ? "configurationInvalid" : "configurationRefused";
  throw new RunwayError(kind, change.problems.map(describeProblem).join("; "));
}

/** Reloads on behalf of a signal: what comes of it is in the log and in the history. */
export async function reloadForSignal(
  { logger }: NodeContext,
  reload: () => Promise<ConfigurationChange>,
): Promise<void> {
  try {
    const change = await reload();
    if (change.outcome === "accepted") logger.info("The file was read again", { changes: change.changes.slice(0, 20) });
    else
      logger.error("The file was read again and not taken", {
        problems: change.problems.map(describeProblem).slice(0, 20),
      });
  } catch (error) {
    logger.error("The file could not be read again", { error });
  }
}
