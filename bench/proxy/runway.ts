import { readProductVersion } from "../product-version.ts";
import { startProxy } from "./start-proxy.ts";
import type { Setting, Subject } from "./subject.ts";

const PROGRAM = new URL("../../bin/runway", import.meta.url).pathname;

/** runway as its users run it: the program itself, standalone, one worker. */
export const runway: Subject = {
  name: "runway",
  needs: [],
  version: readProductVersion,
  start: (setting) =>
    startProxy(
      {
        program: PROGRAM,
        fileName: "runway.yaml",
        configuration: (port) => configuration(port, setting),
        args: (path) => ["run", "-c", path],
      },
      setting,
    ),
};

function configuration(port: number, { originPort, connections }: Setting): string {
  return `
workers: 1
admin:
  port: 0
logging:
  level: warn
transport:
  max_idle_conns_per_host: ${connections}
listeners:
  - id: http
    address: 127.0.0.1:${port}
routes:
  - id: all
    path: /
    path_prefix: true
    backends:
      - url: http://127.0.0.1:${originPort}
`;
}
