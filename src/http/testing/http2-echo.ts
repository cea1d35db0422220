/** A server of HTTP/2 without a gateway, for tests of the protocol alone, and a client that says what no library would. */
import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { systemClock } from "../../core/clock.ts";
import type { HttpLimits } from "../http-limits.ts";
import { frameHead, PREFACE } from "../http2/frame.ts";
import { ServerSession } from "../http2/server-session.ts";
import type { ServerStream } from "../http2/server-stream.ts";
import { Lifetime } from "../lifetime.ts";
import { OctetBuffers } from "../octet-buffers.ts";
import type { Refusal } from "../refusal.ts";
import type { RequestHandler } from "../request-channel.ts";
import { Sweep } from "../sweep.ts";

const LIMITS: HttpLimits = {
  headTimeoutMs: 0,
  bodyTimeoutMs: 0,
  wholeBodyTimeoutMs: 0,
  writeTimeoutMs: 0,
  idleTimeoutMs: 0,
  maxHeadBytes: 16_384,
  maxFields: 100,
  maxConcurrentStreams: 100,
  maxAgeMs: 0,
  maxRequests: 0,
};

/**
 * Answers with the path for a body behind its `x-` fields, or with the body that came; `/octets/9` is answered with nine octets,
 * `/hold` never; at `/pause` no more of the body is taken, at `/hesitate` each piece of it a turn later.
 */
class Echo implements RequestHandler {
  channel!: ServerStream;
  readonly #server: EchoServer;
  #body: Buffer[] = [];
  /** What is left of a long answer while the client does not take it. */
  #left = 0;

  constructor(server: EchoServer) {
    this.#server = server;
  }

  onRequest(): void {
    this.#server.open++;
    this.#body = [];
    const { request } = this.channel;
    if (request.path === "/pause") this.channel.pause();
    if (!request.hasBody) this.onRequestEnd();
  }

  onRequestBody(buffer: Buffer, start: number, end: number): void {
    this.#server.bodyBytes += end - start;
    if (this.channel.request.path !== "/hesitate") {
      this.#body.push(Buffer.from(buffer.subarray(start, end)));
      return;
    }
    this.channel.pause();
    setImmediate(() => this.channel.resume());
  }

  onRequestEnd(): void {
    const { request } = this.channel;
    const { path, fields } = request;
    if (path === "/hold") return;
    const length = path.startsWith("/octets/") ? Number(path.slice(8)) : -1;
    let head = "HTTP/1.1 200 OK\r\n";
    for (let index = 0; index < fields.count; index++)
      if (fields.name(index).startsWith("x-")) head += `${fields.name(index)}: ${fields.value(index)}\r\n`;
    this.channel.writer.text(`${head}\r\n`);
    if (length >= 0) {
      this.#left = length;
      this.#writeOn();
      return;
    }
    const body = request.hasBody ? Buffer.concat(this.#body) : Buffer.from(path, "latin1");
    this.channel.writer.bytes(body, 0, body.length);
    this.#finish();
  }

  onRequestRefused({ reason }: Refusal): void {
    this.channel.writer.text(`HTTP/1.1 400 Bad Request\r\nx-reason: ${reason}\r\n\r\n`);
    this.#finish();
  }

  onRequestPause(): void {}

  onResponseWritable(): void {
    if (this.#left > 0) this.#writeOn();
  }

  onClientGone(): void {
    this.#left = 0;
    this.#server.open = Math.max(0, this.#server.open - 1);
    this.#server.gone++;
  }

  onFault(error: unknown): void {
    this.#server.faults.push(error);
    this.channel.destroy();
  }

  onClientClosed(): void {}

  #writeOn(): void {
    const { writer } = this.channel;
    while (this.#left > 0 && !writer.isFull) {
      const bytes = Math.min(this.#left, PIECE.length);
      this.#left -= bytes;
      writer.bytes(PIECE, 0, bytes);
      writer.flush();
    }
    if (this.#left === 0) this.#finish();
  }

  #finish(): void {
    this.#server.open = Math.max(0, this.#server.open - 1);
    this.channel.finish();
  }
}

const PIECE = Buffer.alloc(50_000, "o");

export class EchoServer {
  /** Requests that were not answered yet. */
  open = 0;
  gone = 0;
  floods = 0;
  connections = 0;
  bodyBytes = 0;
  readonly faults: unknown[] = [];
  readonly sweep = new Sweep(systemClock, 5);
  readonly #server: Server;
  readonly #limits: HttpLimits;
  readonly #buffers = new OctetBuffers();
  readonly #sockets = new Set<Socket>();

  constructor(limits: Partial<HttpLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    this.#server = createServer({ noDelay: true }, (socket) => this.#serve(socket));
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async start(): Promise<this> {
    this.sweep.start();
    await once(this.#server.listen(0, "127.0.0.1"), "listening");
    return this;
  }

  async stop(): Promise<void> {
    this.sweep.stop();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #serve(socket: Socket): void {
    this.connections++;
    this.#sockets.add(socket);
    socket.on("close", () => this.#sockets.delete(socket));
    new ServerSession(socket, {
      limits: this.#limits,
      sweep: this.sweep,
      buffers: this.#buffers,
      clock: systemClock,
      lifetime: new Lifetime(0, 0),
      isDraining: () => false,
      serve: (open) => {
        const handler = new Echo(this);
        handler.channel = open(handler);
        return handler.channel;
      },
      onFlood: () => {
        this.floods++;
      },
      onClosed: () => {
        this.connections--;
      },
    });
  }
}

export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: string;
}

/** Says what it is told to, and takes the frames apart that come back. */
export class FrameClient {
  received = "";
  isClosed = false;
  readonly socket: Socket;

  constructor(port: number) {
    this.socket = connect({ port, host: "127.0.0.1", noDelay: true });
    this.socket.setEncoding("latin1");
    this.socket.on("data", (text: string) => {
      this.received += text;
    });
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.isClosed = true;
    });
  }

  send(text: string): this {
    if (this.socket.writable) this.socket.write(text, "latin1");
    return this;
  }

  greet(settings = ""): this {
    return this.send(PREFACE.toString("latin1") + frameText(4, 0, 0, settings));
  }

  get frames(): ReceivedFrame[] {
    const octets = Buffer.from(this.received, "latin1");
    const frames: ReceivedFrame[] = [];
    for (let at = 0; at + 9 <= octets.length; ) {
      const next = at + 9 + octets.readUIntBE(at, 3);
      if (next > octets.length) break;
      const stream = octets.readUInt32BE(at + 5);
      const payload = octets.toString("latin1", at + 9, next);
      frames.push({ type: octets[at + 3]!, flags: octets[at + 4]!, stream, payload });
      at = next;
    }
    return frames;
  }

  of(type: number, stream?: number): ReceivedFrame[] {
    return this.frames.filter((frame) => frame.type === type && (stream === undefined || frame.stream === stream));
  }

  /** The code of the last GOAWAY. */
  get goaway(): number | undefined {
    const last = this.of(7).at(-1);
    return last && Buffer.from(last.payload, "latin1").readUInt32BE(4);
  }

  /** The code of the stream's RST_STREAM. */
  resetOf(stream: number): number | undefined {
    const reset = this.of(3, stream).at(-1);
    return reset && Buffer.from(reset.payload, "latin1").readUInt32BE(0);
  }

  /** Octets of DATA that came on the stream. */
  dataOf(stream: number): number {
    return this.of(0, stream).reduce((sum, { payload }) => sum + payload.length, 0);
  }

  close(): void {
    this.socket.destroy();
  }
}

export function frameText(type: number, flags: number, stream: number, payload: string): string {
  return frameHead(payload.length, type, flags, stream & 0x7fffffff) + payload;
}

/** A header block of literals that are in no table. */
export function literals(...fields: readonly (readonly [string, string])[]): string {
  const string = (text: string) => (text.length < 127 ? String.fromCharCode(text.length) : longLength(text)) + text;
  return fields.map(([name, value]) => `\0${string(name)}${string(value)}`).join("");
}

function longLength(text: string): string {
  let rest = text.length - 127;
  let octets = "\x7f";
  for (; rest >= 128; rest >>>= 7) octets += String.fromCharCode((rest & 127) | 128);
  return octets + String.fromCharCode(rest);
}

export function requestBlock(method: string, path: string, ...more: readonly (readonly [string, string])[]): string {
  return literals([":method", method], [":scheme", "http"], [":path", path], [":authority", "a"], ...more);
}

const PATIENCE_MS = 10_000;

/** Resolves once `condition` holds. */
export async function eventually(condition: () => boolean, what: string | (() => string)): Promise<void> {
  const deadlineMs = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > deadlineMs) throw new Error(`never happened: ${typeof what === "string" ? what : what()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
