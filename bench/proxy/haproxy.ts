import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram } from "../debian-tools.ts";
import { startProxy } from "./start-proxy.ts";
import type { Setting, Subject } from "./subject.ts";

/** haproxy with one thread, doing what runway does for a request. */
export const haproxy: Subject = {
  name: "haproxy",
  needs: ["haproxy"],
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

function configuration(port: number, { originPort }: Setting): string {
  return `
global
  nbthread 1
  maxconn 4096
defaults
  mode http
  timeout connect 5s
  timeout client 60s
  timeout server 60s
  option forwardfor
  http-reuse always
  unique-id-format %{+X}o%ci%cp%ts%rt
frontend all
  bind 127.0.0.1:${port} backlog 4096
  unique-id-header X-Request-ID
  http-request set-header X-Forwarded-Proto http
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  default_backend origin
backend origin
  server origin 127.0.0.1:${originPort}
`;
}
