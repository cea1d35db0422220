import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram } from "../debian-tools.ts";
import { startProxy } from "./start-proxy.ts";
import type { Setting, Subject } from "./subject.ts";

/** Caddy: its runtime starts as many threads as there are cores to run on, which is one here. It has no workers to count. */
export const caddy: Subject = {
  name: "caddy",
  needs: ["caddy"],
  features: ["tls", "http2", "websocket", "access-log"],
  async version() {
    const { stdout } = await promisify(execFile)(findProgram("caddy")!, ["version"]);
    return stdout.trim();
  },
  start: (setting) =>
    startProxy(
      {
        program: "caddy",
        fileName: "Caddyfile",
        configuration: (port) => configuration(port, setting),
        args: (path) => ["run", "--adapter", "caddyfile", "--config", path],
      },
      setting,
    ),
};

function configuration(port: number, { originPort, connections, accessLog, tls, folder }: Setting): string {
  return `
{
  admin off
  auto_https off
  storage file_system ${folder}/caddy
  log {
    level WARN
  }
  servers {
    protocols ${tls?.http2 ? "h1 h2" : "h1"}
  }
}
${tls === undefined ? "http" : "https"}://127.0.0.1:${port} {
  bind 127.0.0.1
  ${tls === undefined ? "" : `tls ${tls.certFile} ${tls.keyFile}`}
  ${accessLog ? `log {\n    output file ${folder}/caddy-access.log\n    level INFO\n  }` : ""}
  reverse_proxy 127.0.0.1:${originPort} {
    header_up X-Request-ID {http.request.uuid}
    transport http {
      versions 1.1
      compression off
      keepalive_idle_conns ${connections}
      keepalive_idle_conns_per_host ${connections}
    }
  }
}
`;
}
