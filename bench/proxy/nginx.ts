import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { findProgram } from "../debian-tools.ts";
import { startProxy } from "./start-proxy.ts";
import type { Setting, Subject } from "./subject.ts";

/** nginx doing what runway does for a request: connections kept on both sides, forwarding headers, a request id. */
export const nginx: Subject = {
  name: "nginx",
  needs: ["nginx"],
  async version() {
    const { stderr } = await promisify(execFile)(findProgram("nginx")!, ["-v"]);
    return stderr.trim().replace("nginx version: nginx/", "");
  },
  start: (setting) =>
    startProxy(
      {
        program: "nginx",
        fileName: "nginx.conf",
        configuration: (port) => configuration(port, setting),
        args: (path) => ["-p", setting.folder, "-c", path, "-e", "stderr"],
      },
      setting,
    ),
};

/** `keepalive_requests` has a default of 1,000, after which nginx would open new connections, as no other subject does. */
function configuration(port: number, { originPort, connections }: Setting): string {
  return `
    daemon off;
    pid nginx.pid;
    worker_processes 1;
    events { worker_connections 4096; }
    http {
      access_log off;
      keepalive_requests 1000000000;
      upstream origin {
        server 127.0.0.1:${originPort};
        keepalive ${connections};
        keepalive_requests 1000000000;
      }
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location / {
          proxy_pass http://origin;
          proxy_http_version 1.1;
          proxy_set_header Connection "";
          proxy_set_header Host $http_host;
          proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
          proxy_set_header X-Forwarded-Proto $scheme;
          proxy_set_header X-Forwarded-Host $http_host;
          proxy_set_header X-Request-ID $request_id;
        }
      }
    }
  `;
}
