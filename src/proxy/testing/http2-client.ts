/** HTTP/2 clients for tests: a well-behaved one, and frames for what no library would send. */
import { type ClientHttp2Session, type ClientHttp2Stream, connect, type IncomingHttpHeaders } from "node:http2";
import { eventually } from "./test-proxy.ts";

export interface Http2Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly trailers: Record<string, unknown> | undefined;
}

export class Http2Client {
  readonly session: ClientHttp2Session;
  /** The error code of the GOAWAY that came, if one did. */
  goaway: number | undefined;

  constructor(port: number) {
    this.session = connect(`http://127.0.0.1:${port}`);
    this.session.on("error", () => {});
    this.session.on("goaway", (code) => {
      this.goaway = code;
    });
  }

  open(headers: Record<string, string>, endStream = true, trailers?: Record<string, string>): Http2Request {
    const options = { endStream, waitForTrailers: trailers !== undefined };
    const stream = this.session.request({ ":path": "/", ...headers }, options);
    stream.on("wantTrailers", () => stream.sendTrailers(trailers ?? {}));
    return new Http2Request(stream);
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Http2Answer> {
    return this.open({ ":path": path, ...headers }).answer();
  }

  async untilClosed(): Promise<void> {
    await eventually(() => this.session.destroyed, "the end of the session");
  }

  async stop(): Promise<void> {
    this.session.destroy();
  }
}

export class Http2Request {
  readonly stream: ClientHttp2Stream;
  headers: IncomingHttpHeaders | undefined;
  readonly informational: number[] = [];
  body = "";
  trailers: Record<string, unknown> | undefined;
  isComplete = false;

  constructor(stream: ClientHttp2Stream) {
    this.stream = stream;
    stream.on("error", () => {});
    stream.on("headers", (headers) => this.informational.push(Number(headers[":status"])));
    stream.on("response", (headers) => {
      this.headers = headers;
      stream.setEncoding("latin1");
      stream.on("data", (text: string) => {
        this.body += text;
      });
    });
    stream.on("trailers", (fields) => {
      this.trailers = Object.fromEntries(Object.entries(fields));
    });
    stream.on("end", () => {
      this.isComplete = !stream.aborted && stream.rstCode === 0;
    });
  }

  /** The code of the RST_STREAM that ended it. */
  async reset(): Promise<number> {
    await eventually(() => this.stream.destroyed, "the end of the stream");
    return this.stream.rstCode;
  }

  async answer(): Promise<Http2Answer> {
    await eventually(
      () => this.isComplete || this.stream.destroyed,
      () => `an answer, after ${this.body.length} octets`,
    );
    if (this.headers === undefined || !this.isComplete) throw new Error(`reset with ${this.stream.rstCode}`);
    return { status: Number(this.headers[":status"]), headers: this.headers, body: this.body, trailers: this.trailers };
  }
}

export const FRAME = {
  data: 0,
  headers: 1,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goaway: 7,
  windowUpdate: 8,
  continuation: 9,
} as const;

export const PREFACE = `PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n${frame(FRAME.settings, 0, 0, "")}`;

/** One frame, each character an octet (RFC 9113 §4.1). */
export function frame(type: number, flags: number, stream: number, payload: string): string {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.writeUInt8(type, 3);
  head.writeUInt8(flags, 4);
  head.writeUInt32BE(stream, 5);
  return head.toString("latin1") + payload;
}

/** A header block of literals that are not indexed (RFC 7541 §6.2.2), names and values of less than 127 octets. */
export function block(fields: readonly (readonly [string, string])[]): string {
  return fields.map(([name, value]) => `\0${prefixed(name)}${prefixed(value)}`).join("");
}

function prefixed(text: string): string {
  return String.fromCharCode(text.length) + text;
}

/** The types and payloads of the frames in what was received. */
export function framesIn(received: string): { type: number; payload: string }[] {
  const octets = Buffer.from(received, "latin1");
  const frames: { type: number; payload: string }[] = [];
  for (let at = 0; at + 9 <= octets.length; ) {
    const length = octets.readUIntBE(at, 3);
    frames.push({ type: octets[at + 3]!, payload: octets.toString("latin1", at + 9, at + 9 + length) });
    at += 9 + length;
  }
  return frames;
}
