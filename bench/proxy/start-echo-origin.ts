import { LOAD_CORE } from "../cores.ts";
import { startProxy } from "./start-proxy.ts";
import type { RunningProxy, Setting } from "./subject.ts";

const PROGRAM = new URL("echo-origin.ts", import.meta.url).pathname;

/** The origin that speaks WebSocket, which nginx as an origin cannot. */
export function startEchoOrigin(setting: Pick<Setting, "folder" | "signal">): Promise<RunningProxy> {
  return startProxy(
    {
      program: process.execPath,
      fileName: "echo-origin.port",
      core: LOAD_CORE,
      configuration: (port) => String(port),
      args: (path) => [PROGRAM, path],
    },
    setting,
  );
}
