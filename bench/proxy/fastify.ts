import { readFile } from "node:fs/promises";
import { startProxy } from "./start-proxy.ts";
import type { Subject } from "./subject.ts";

const SERVER = new URL("fastify-server.ts", import.meta.url).pathname;
const PACKAGE = new URL("../../node_modules/@fastify/http-proxy/package.json", import.meta.url);

/** `@fastify/http-proxy`: what a team that writes TypeScript builds its own gateway with, on the runtime that runway has. */
export const fastify: Subject = {
  name: "fastify",
  needs: [],
  features: ["tls", "websocket", "access-log"],
  async version() {
    const { version } = JSON.parse(await readFile(PACKAGE, "utf8")) as { version: string };
    return `@fastify/http-proxy ${version}, Node ${process.version}`;
  },
  start: (setting) =>
    startProxy(
      {
        program: process.execPath,
        fileName: "fastify.json",
        configuration: (port) => JSON.stringify({ ...setting, signal: undefined, port }),
        args: (path) => [SERVER, path],
      },
      setting,
    ),
};
