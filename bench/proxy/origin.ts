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

/** The origin behind every subject: nginx, since it costs least of the core that it shares with the generator. */
export function startOrigin(setting: Pick<Setting, "folder" | "signal">): Promise<RunningProxy> {
  return startProxy(
    {
      program: "nginx",
      fileName: "origin.conf",
      core: LOAD_CORE,
      configuration: originConfiguration,
      args: (path) => ["-p", setting.folder, "-c", path, "-e", "stderr"],
    },
    setting,
  );
}

/** What the origin received when `port`, its own or a proxy's, was asked for `/received`. */
export async function askWhatWasReceived(port: number, signal: AbortSignal): Promise<Received> {
  const { body } = await ask(`http://127.0.0.1:${port}/received`, { signal });
  return JSON.parse(body) as Received;
}

function originConfiguration(port: number): string {
  const shown = Object.entries(SHOWN).map(([name, variable]) => `"${name}":"${variable}"`);
  return `
    daemon off;
    pid origin.pid;
    worker_processes 1;
    events { worker_connections 4096; }
    http {
      access_log off;
      keepalive_requests 1000000000;
      default_type text/plain;
      server {
        listen 127.0.0.1:${port} backlog=4096;
        location = / { return 200 "Hello from the origin."; }
        location = /received { return 200 '{${shown.join(",")}}'; }
      }
    }
  `;
}
