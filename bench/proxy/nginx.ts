import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram } from "../debian-tools.ts";
import { type NginxAdditions, nginxConfiguration } from "./nginx-configuration.ts";
import { startProxy } from "./start-proxy.ts";
import type { RunningProxy, Setting, Subject } from "./subject.ts";

/** nginx from Debian's package. */
export const nginx: Subject = {
  name: "nginx",
  needs: ["nginx"],
  features: ["tls", "http2", "websocket", "access-log", "workers"],
  version: nginxVersion,
  start: (setting) => startNginx("nginx.conf", setting),
};

export async function nginxVersion(): Promise<string> {
  const { stderr } = await promisify(execFile)(findProgram("nginx")!, ["-v"]);
  return stderr.trim().replace("nginx version: nginx/", "");
}

export function startNginx(fileName: string, setting: Setting, additions?: NginxAdditions): Promise<RunningProxy> {
  return startProxy(
    {
      program: "nginx",
      fileName,
      configuration: (port) => nginxConfiguration(port, setting, additions),
      args: (path) => ["-p", setting.folder, "-c", path, "-e", "stderr"],
    },
    setting,
  );
}
