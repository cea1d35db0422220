import { readFile } from "node:fs/promises";
import { CommandError } from "../command-error.ts";
import type { Terminal } from "../terminal.ts";

/** The text of a file that the command line names; `-` is standard input. */
export async function readDocument(file: string, terminal: Terminal): Promise<string> {
  if (file === "-") return terminal.readInput();
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new CommandError("usage", `${file} cannot be read: ${readableReason(cause)}.`, { cause });
  }
}

export const DEFAULT_FILE = "runway.yaml";

/** As `readDocument` for the node's own file, which is ./runway.yaml when the command line names none. */
export async function readNodeFile(file: string | undefined, terminal: Terminal): Promise<string> {
  try {
    return await readFile(file ?? DEFAULT_FILE, "utf8");
  } catch (cause) {
    if (file !== undefined) return readDocument(file, terminal);
    const message =
      `There is no ${DEFAULT_FILE} here (${readableReason(cause)}). Name a configuration with -c FILE, ` +
      "or see a whole cluster at work first: runway up";
    throw new CommandError("usage", message, { cause });
  }
}

function readableReason(cause: unknown): string {
  const code = cause instanceof Error && "code" in cause ? cause.code : undefined;
  if (code === "ENOENT") return "no such file";
  if (code === "EACCES") return "permission denied";
  if (code === "EISDIR") return "it is a directory";
  return cause instanceof Error ? cause.message : String(cause);
}
