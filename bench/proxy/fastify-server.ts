/** The program behind the subject `fastify`. Its one argument is a file with its setting and port. */
import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import proxy from "@fastify/http-proxy";
import createServer from "fastify";
import type { Setting } from "./subject.ts";

type ServerSetting = Omit<Setting, "signal"> & { readonly port: number };

const setting = JSON.parse(readFileSync(process.argv[2]!, "utf8")) as ServerSetting;
const { port, originPort, connections, accessLog, tls } = setting;
const server = createServer({
  logger: accessLog,
  bodyLimit: 16_000_000,
  https: tls === undefined ? null : { cert: readFileSync(tls.certFile), key: readFileSync(tls.keyFile) },
});

await server.register(proxy, {
  upstream: `http://127.0.0.1:${originPort}`,
  websocket: true,
  undici: { connections, keepAliveTimeout: 60_000, pipelining: 1 },
  replyOptions: {
    // It would tell a client that asked to close that the connection is kept, since the one to the origin is.
    rewriteHeaders: ({ connection: _, "keep-alive": __, ...headers }) => headers,
    rewriteRequestHeaders: (request, headers) => ({
      ...headers,
      "x-forwarded-for": request.socket.remoteAddress,
      "x-forwarded-proto": tls === undefined ? "http" : "https",
      "x-forwarded-host": request.headers.host,
      "x-request-id": randomUUID(),
    }),
  },
});
await server.listen({ host: "127.0.0.1", port, backlog: 4_096 });
process.once("SIGTERM", () => process.exit());
