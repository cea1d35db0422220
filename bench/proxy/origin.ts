import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { ask } from "../ask.ts";
import { LOAD_CORE } from "../cores.ts";
import { startProxy } from "./start-proxy.ts";
import type { RunningProxy, Setting } from "./subject.ts";

/** Request headers that the origin shows at `/received`, with nginx's variable for each. */
const SHOWN = {
  host: "$http_host",
  connection: "$http_connection",
  "x-forwarded-for": "$http_x_forwarded_for",
  "x-forwarded-proto": "$http_x_forwarded_proto",
  "x-forwarded-host": "$http_x_forwarded_host",
  "x-request-id": "$http_x_request_id",
  "requests-on-this-connection": "$connection_requests",
} as const;

export type Received = Readonly<Record<keyof typeof SHOWN, string>>;

/** Bodies by the name that they have in a path: `/64KB` answers one, and a POST of one to `/upload` is answered when it is there. */
export const BODY_BYTES = { "64KB": 65_536, "1MB": 1_048_576 } as const;
export type BodySize = keyof typeof BODY_BYTES;

/** The origin behind every subject: nginx, since it costs least of the core that it shares with the generator. */
export async function startOrigin({ folder, signal }: Pick<Setting, "folder" | "signal">): Promise<RunningProxy> {
  for (const [name, bytes] of Object.entries(BODY_BYTES))
    await writeFile(join(folder, name), "runway".repeat(bytes).slice(0, bytes));
  return startProxy(
    {
      program: "nginx",
      fileName: "origin.conf",
      core: LOAD_CORE,
      configuration: (port) => originConfiguration(port, folder),
      args: (path) => ["-p", folder, "-c", path, "-e", "stderr"],
    },
    { folder, signal },
  );
}

/**
 * What the origin received when `url`, its own or a proxy's, was asked for `/received`.
 *
 * @throws Error with what was answered instead.
 */
export async function askWhatWasReceived(url: string, signal: AbortSignal): Promise<Received> {
  const { status, body } = await ask(`${url}/received`, { signal });
  if (status !== 200 || !body.startsWith("{"))
    throw new Error(`/received was answered ${status} ${body.slice(0, 200)}`);
  return JSON.parse(body) as Received;
}

/**
 * The folder is its owner's alone, so the worker of an origin that root starts stays root. An upload is answered when
 * all of it has come, not before: nginx passes it on to itself without the body, and does that only then.
 */
function originConfiguration(port: number, folder: string): string {
  const shown = Object.entries(SHOWN).map(([name, variable]) => `"${name}":"${variable}"`);
  return `
    ${process.getuid?.() === 0 ? "user root;" : ""}
    daemon off;
    pid origin.pid;
    worker_processes 1;
    events { worker_connections 32768; }
    http {
      access_log off;
      sendfile on;
      keepalive_requests 1000000000;
      default_type text/plain;
      client_max_body_size 0;
      client_body_buffer_size 2m;
      upstream itself { server unix:${join(folder, "origin.sock")}; keepalive 64; keepalive_requests 1000000000; }
      server {
        listen 127.0.0.1:${port} backlog=4096;
        root ${folder};
        location = / { return 200 "Hello from the origin."; }
        location = /received { return 200 '{${shown.join(",")}}'; }
        location = /upload {
          proxy_pass http://itself;
          proxy_http_version 1.1;
          proxy_method GET;
          proxy_set_header Connection "";
          proxy_set_header Content-Length "";
          proxy_set_header Received $request_length;
          proxy_pass_request_body off;
        }
        location / { return 404; }
        location ~ "^/(${Object.keys(BODY_BYTES).join("|")})$" {}
      }
      server {
        listen unix:${join(folder, "origin.sock")};
        location / { return 200 $http_received; }
      }
    }
  `;
}
