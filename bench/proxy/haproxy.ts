import { execFile } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { findProgram } from "../debian-tools.ts";
import { startProxy } from "./start-proxy.ts";
import type { Setting, Subject } from "./subject.ts";

/** haproxy doing what runway does for a request, with as many threads as there are to be workers. */
export const haproxy: Subject = {
  name: "haproxy",
  needs: ["haproxy"],
  features: ["tls", "http2", "websocket", "access-log", "workers"],
  async version() {
    const { stdout } = await promisify(execFile)(findProgram("haproxy")!, ["-v"]);
    return /version (\S+)/.exec(stdout)?.[1] ?? "unknown";
  },
  start: (setting) =>
    startProxy(
      {
        program: "haproxy",
        fileName: "haproxy.cfg",
        configuration: (port) => configuration(port, setting),
        args: (path) => ["-db", "-f", path],
      },
      setting,
    ),
};

function configuration(port: number, setting: Setting): string {
  const { originPort, workers, accessLog, tls } = setting;
  return `
global
  nbthread ${workers}
  maxconn 16384
  no strict-limits
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  timeout tunnel 60s
  option forwardfor
  http-reuse always
  unique-id-format %{+X}o%ci%cp%ts%rt
  ${accessLog ? "log stdout format raw local0\n  option httplog" : ""}
frontend all
  bind 127.0.0.1:${port} backlog 4096${bindFlags(setting)}
  unique-id-header X-Request-ID
  http-request set-header X-Forwarded-Proto ${tls === undefined ? "http" : "https"}
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort}
`;
}

function bindFlags({ tls, folder }: Setting): string {
  if (tls === undefined) return "";
  const pem = join(folder, "haproxy.pem"); // It wants certificate and key in one file.
  writeFileSync(pem, readFileSync(tls.certFile, "utf8") + readFileSync(tls.keyFile, "utf8"), { mode: 0o600 });
  return ` ssl crt ${pem} alpn ${tls.http2 ? "h2,http/1.1" : "http/1.1"}`;
}
