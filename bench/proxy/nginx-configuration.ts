import type { Setting } from "./subject.ts";

/** What the bare program has not: modules to load, and what they do with a request. */
export interface NginxAdditions {
  readonly main?: string;
  readonly location?: string;
}

/**
 * nginx doing what runway does for a request: connections kept on both sides, forwarding headers, a request id, bodies
 * passed on as they come and never written to a disk, upgrades.
 *
 * `keepalive_requests` has a default of 1,000, after which nginx would open new connections, as no other subject does.
 */
export function nginxConfiguration(port: number, setting: Setting, { main = "", location = "" }: NginxAdditions = {}) {
  const { originPort, connections, workers, accessLog } = setting;
  return `
    ${main}
    daemon off;
    pid nginx-${port}.pid;
    worker_processes ${workers};
    events { worker_connections 32768; }
    http {
      access_log ${accessLog ? `access-${port}.log combined` : "off"};
      keepalive_requests 1000000000;
      map $http_upgrade $connection_to_origin { default upgrade; "" ""; }
      upstream origin {
        server 127.0.0.1:${originPort};
        keepalive ${connections};
        keepalive_requests 1000000000;
      }
      server {
        listen 127.0.0.1:${port} backlog=4096${listenFlags(setting)};
        ${certificate(setting)}
        client_max_body_size 0;
        location / {
          ${location}
          proxy_pass http://origin;
          proxy_http_version 1.1;
          proxy_request_buffering off;
          proxy_max_temp_file_size 0;
          proxy_set_header Connection $connection_to_origin;
          proxy_set_header Upgrade $http_upgrade;
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

function listenFlags({ tls, workers }: Setting): string {
  const secure = tls === undefined ? "" : ` ssl${tls.http2 ? " http2" : ""}`;
  return secure + (workers > 1 ? " reuseport" : "");
}

/**
 * Sessions are resumed by ticket, as the default of everyone else is. nginx before 1.23.4 speaks TLS 1.3 only when told to, and a
 * handshake of TLS 1.2 that resumes a session does less work.
 */
function certificate({ tls }: Setting): string {
  return tls === undefined
    ? ""
    : `ssl_protocols TLSv1.2 TLSv1.3; ssl_certificate ${tls.certFile}; ssl_certificate_key ${tls.keyFile};`;
}
