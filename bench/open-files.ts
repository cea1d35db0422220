import { readFileSync } from "node:fs";
import { Refusal } from "./refusal.ts";

/** Files that a process has open besides its connections to nodes, generously. */
const OTHER_FILES = 256;

/**
 * Node raises its own limit to the hard one at start, and programs that it starts inherit that.
 *
 * @throws Refusal when a process may not hold that many connections at once.
 */
export function requireOpenFiles(connections: number, limit = openFilesLimit()): void {
  if (limit >= connections + OTHER_FILES) return;
  throw new Refusal(
    `${connections} nodes need ${connections + OTHER_FILES} open files in one process, and this shell allows ${limit}. ` +
      `Raise it with "ulimit -n ${connections + OTHER_FILES}", or measure fewer nodes with --nodes`,
  );
}

function openFilesLimit(): number {
  const [, soft] = /^Max open files\s+(\S+)/m.exec(readFileSync("/proc/self/limits", "latin1")) ?? [];
  return soft === "unlimited" ? Number.POSITIVE_INFINITY : Number(soft);
}
