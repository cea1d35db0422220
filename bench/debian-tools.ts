import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { Refusal } from "./refusal.ts";

/** Programs that the benchmarks start, and the Debian package that brings each. */
const PACKAGES = { wrk: "wrk", nginx: "nginx", haproxy: "haproxy", taskset: "util-linux", git: "git" } as const;

export type Tool = keyof typeof PACKAGES;

/** @throws Refusal naming every missing program at once, with the command that installs them. */
export function requireTools(tools: readonly Tool[], find = findProgram): void {
  const missing = [...new Set(tools)].filter((tool) => find(tool) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => PACKAGES[tool]).join(" ");
  throw new Refusal(`needs ${missing.join(", ")}. On Debian or Ubuntu: apt-get install ${packages}`);
}

/** The full path of a program; where daemons live is looked at too, although a user's PATH often leaves it out. */
export function findProgram(name: string): string | undefined {
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/sbin"];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
