import { once } from "node:events";
import { createServer, type IncomingMessage, type Server } from "node:http";

/** A small origin to send traffic to: answers every request with a description of it, as JSON. */
export async function startOrigin(port: number): Promise<Server> {
  const server = createServer((request, response) => {
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify(describe(request))}\n`);
  });
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  return server;
}

function describe({ method, url, headers }: IncomingMessage) {
  return { message: "hello from the origin", method, url, headers };
}
