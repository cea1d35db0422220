/** The program behind WebSocket workloads: sends every message back. Its one argument is a file with its port. */
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { Socket } from "node:net";
import { acceptKey, encodeFrame, FrameReader } from "../websocket-frame.ts";
import type { Received } from "./origin.ts";

const port = Number(readFileSync(process.argv[2]!, "utf8"));
const asked = new WeakMap<Socket, number>();

const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
  const count = (asked.get(request.socket) ?? 0) + 1;
  asked.set(request.socket, count);
  const header = (name: string) => String(request.headers[name] ?? "");
  const received: Received = {
    host: header("host"),
    connection: header("connection"),
    "x-forwarded-for": header("x-forwarded-for"),
    "x-forwarded-proto": header("x-forwarded-proto"),
    "x-forwarded-host": header("x-forwarded-host"),
    "x-request-id": header("x-request-id"),
    "requests-on-this-connection": String(count),
  };
  response.end(request.url === "/received" ? JSON.stringify(received) : "Hello from the echo.");
});

server.on("upgrade", (request, socket) => {
  const key = acceptKey(request.headers["sec-websocket-key"] ?? "");
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${key}\r\n\r\n`,
  );
  const reader = new FrameReader((opcode, payload) => socket.write(encodeFrame(opcode, payload)));
  socket.on("data", (octets: Buffer) => reader.read(octets));
  socket.on("error", () => socket.destroy());
  socket.on("end", () => socket.end());
});

server.listen({ host: "127.0.0.1", port, backlog: 4_096 });
process.once("SIGTERM", () => process.exit());
