import { accessSync, constants, existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Refusal } from "./refusal.ts";

/** What the benchmarks start or load, and the Debian package that brings each. `install-peers.sh` installs them all. */
const PACKAGES = {
  wrk: "wrk",
  h2load: "nghttp2-client",
  nginx: "nginx",
  "nginx-lua": "libnginx-mod-http-lua",
  haproxy: "haproxy",
  caddy: "caddy",
  taskset: "util-linux",
  git: "git",
} as const;

/** What is a file to load and not a program to start. */
const MODULES: Readonly<Record<string, string>> = { "nginx-lua": "/usr/lib/nginx/modules/ngx_http_lua_module.so" };

export type Tool = keyof typeof PACKAGES;

/** @throws Refusal naming everything that is missing at once, with the command that installs it. */
export function requireTools(tools: readonly Tool[], find = findTool): void {
  const missing = [...new Set(tools)].filter((tool) => find(tool) === undefined);
  if (missing.length === 0) return;
  const packages = missing.map((tool) => PACKAGES[tool]).join(" ");
  throw new Refusal(`needs ${missing.join(", ")}. On Debian or Ubuntu: apt-get install ${packages}`);
}

function findTool(name: string): string | undefined {
  const module = MODULES[name];
  if (module === undefined) return findProgram(name);
  return existsSync(module) ? module : undefined;
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
