import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { request as requestPlain } from "node:http";
import { request as requestTls } from "node:https";
import type { Socket } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { quantile } from "./statistics.ts";
import { acceptKey, encodeFrame, FrameReader } from "./websocket-frame.ts";
import type { LoadReport } from "./wrk.ts";

const TEXT = 1;

export interface EchoLoad {
  readonly url: string;
  readonly connections: number;
  readonly messageBytes: number;
  readonly seconds: number;
}

/** One message at a time on each WebSocket, the next when the last has come back: a closed loop like wrk. */
export async function runEcho(load: EchoLoad, signal: AbortSignal): Promise<LoadReport> {
  const message = Buffer.alloc(load.messageBytes, "echo ");
  const frame = encodeFrame(TEXT, message, randomBytes(4));
  const timesMs: number[] = [];
  const failures: Record<string, number> = {};
  const fail = (kind: string) => {
    failures[kind] = (failures[kind] ?? 0) + 1;
  };
  const sockets = await Promise.all(Array.from({ length: load.connections }, () => openWebSocket(load.url, signal)));
  const startMs = performance.now();
  for (const socket of sockets) echoOn(socket, frame, message, { timesMs, fail });
  await delay(load.seconds * 1_000, undefined, { signal }).finally(() => {
    for (const socket of sockets) socket.removeAllListeners("close").destroy();
  });
  if (timesMs.length === 0) throw new Error("no message came back");
  const requests = timesMs.length;
  const requestsPerSecond = (requests * 1_000) / (performance.now() - startMs);
  return { requests, requestsPerSecond, p50Ms: quantile(timesMs, 0.5), p99Ms: quantile(timesMs, 0.99), failures };
}

interface EchoRecord {
  readonly timesMs: number[];
  fail(kind: string): void;
}

function echoOn(socket: Socket, frame: Buffer, message: Buffer, { timesMs, fail }: EchoRecord): void {
  let sentMs = performance.now();
  const reader = new FrameReader((opcode, payload) => {
    if (opcode !== TEXT || !payload.equals(message)) return fail("message");
    const nowMs = performance.now();
    timesMs.push(nowMs - sentMs);
    sentMs = nowMs;
    socket.write(frame);
  });
  socket.on("data", (octets: Buffer) => reader.read(octets));
  socket.on("error", () => socket.destroy());
  socket.on("close", () => fail("closed"));
  socket.write(frame);
}

/** @throws Error when the upgrade is not answered as RFC 6455 wants it. */
async function openWebSocket(url: string, signal: AbortSignal): Promise<Socket> {
  const request = url.startsWith("https:") ? requestTls : requestPlain;
  const key = randomBytes(16).toString("base64");
  const asked = request(url, {
    agent: false,
    rejectUnauthorized: false,
    signal: AbortSignal.any([signal, AbortSignal.timeout(5_000)]),
    headers: { connection: "Upgrade", upgrade: "websocket", "sec-websocket-version": "13", "sec-websocket-key": key },
  });
  asked.on("response", ({ statusCode }) => asked.destroy(new Error(`the upgrade was answered ${statusCode}`)));
  asked.end();
  const [response, socket] = await once(asked, "upgrade");
  if (response.headers["sec-websocket-accept"] !== acceptKey(key)) throw new Error("Sec-WebSocket-Accept is wrong");
  return (socket as Socket).setNoDelay(true);
}
