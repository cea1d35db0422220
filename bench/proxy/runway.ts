import { createHash } from "node:crypto";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { freePort } from "../../test/support/free-port.ts";
import { ask } from "../ask.ts";
import { readProductVersion } from "../product-version.ts";
import { startProxy } from "./start-proxy.ts";
import type { RunningProxy, Setting, Subject } from "./subject.ts";

const PROGRAM = new URL("../../bin/runway", import.meta.url).pathname;
const FILE_NAME = "runway.yaml";

/**
 * runway as its users run it: the program itself, standalone. A feature that it gains is one more name here and its
 * lines in the configuration below.
 */
export const runway: Subject = {
  name: "runway",
  needs: [],
  features: ["tls", "http2", "websocket", "access-log", "workers", "live-changes", "key-and-limit"],
  version: readProductVersion,
  async start(setting) {
    const adminPort = await freePort();
    const proxy = await startProxy(
      {
        program: PROGRAM,
        fileName: FILE_NAME,
        configuration: (port) => configuration({ ...setting, port, adminPort, change: 0 }),
        args: (path) => ["run", "-c", path],
      },
      setting,
    );
    return { ...proxy, change: (change) => apply(proxy, { ...setting, adminPort, change }) };
  },
};

interface Document extends Setting {
  readonly port: number;
  readonly adminPort: number;
  readonly change: number;
}

/** @throws Error when the program does not take it, or finds nothing changed. */
async function apply(proxy: RunningProxy, { adminPort, ...setting }: Omit<Document, "port">): Promise<void> {
  const { folder, signal } = setting;
  await writeFile(join(folder, FILE_NAME), configuration({ ...setting, port: proxy.port, adminPort }));
  const { status, body } = await ask(`http://127.0.0.1:${adminPort}/reload`, { body: "", signal });
  if (status !== 200 || !body.includes("changed-by-every-change"))
    throw new Error(`change ${setting.change} was not applied: ${status} ${body}`);
}

/** Each change is one of one route. */
function configuration(document: Document): string {
  const { port, adminPort, originPort, connections, workers, otherRoutes, change, tls, folder } = document;
  const log = `access_log: { enabled: true, output: ${folder}/access.log }\n`;
  const backends = `backends: [{ url: "http://127.0.0.1:${originPort}" }]`;
  const others = Array.from(
    { length: otherRoutes },
    (_, n) => `  - { id: other-${n}, path: /other/${n}, ${backends} }\n`,
  );
  return `
workers: ${workers}
admin:
  port: ${adminPort}
logging:
  level: warn
${document.accessLog ? log : ""}transport:
  max_idle_conns_per_host: ${connections}
listeners:
  - id: http
    address: 127.0.0.1:${port}
${tls === undefined ? "" : `    tls: { enabled: true, cert_file: ${tls.certFile}, key_file: ${tls.keyFile} }\n`}routes:
  - { id: all, path: /, path_prefix: true, ${backends} }
  - { id: changed-by-every-change, path: /change-${change}, ${backends} }
${others.join("")}${document.guardedByKey === "" ? "" : guard(document.guardedByKey, backends)}`;
}

function guard(key: string, backends: string): string {
  const hash = `sha256:${createHash("sha256").update(key).digest("hex")}`;
  const where = "path_prefix: true, strip_prefix: true";
  return `
  - { id: open, path: /open, ${where}, ${backends} }
  - { id: guarded, path: /guarded, ${where}, ${backends}, api_key: {}, rate_limit: { rate: 1000000000, key: consumer } }
consumers:
  load: { api_key: { keys: [{ hash: "${hash}" }] } }
`;
}
