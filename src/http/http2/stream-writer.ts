import type { ServerHttp2Stream } from "node:http2";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { MessageWriter } from "../request-channel.ts";
import { readFieldLines, readResponseHead } from "./response-head.ts";

/** Data up to this size is gathered, so that a head and a small body leave together. */
const GATHER_MAX_BYTES = 12_288;
const END_OF_HEAD = "\r\n\r\n";

/** Writes one answer after another to the streams that take one place of an HTTP/2 connection. */
export class StreamWriter implements MessageWriter {
  /** Until the stream's `drain`. */
  isFull = false;
  readonly #buffers: OctetBuffers;
  #stream: ServerHttp2Stream | undefined;
  /** The final head, until it is sent. */
  #head: string[] | undefined;
  #hasHead = false;
  #gathered = "";
  #trailers = "";

  constructor(buffers: OctetBuffers) {
    this.#buffers = buffers;
  }

  begin(stream: ServerHttp2Stream): void {
    this.#stream = stream;
    this.#hasHead = false;
    this.#head = undefined;
    this.#gathered = "";
    this.#trailers = "";
    this.isFull = false;
  }

  /** A head, with what of the body comes with it; after the final head, of the body. */
  text(text: string): void {
    if (this.#hasHead) {
      this.#gathered += text;
      return;
    }
    const end = text.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
    const head = readResponseHead(text, end);
    if (head[1]!.startsWith("1")) {
      this.#openStream()?.additionalHeaders(asHeaders(head));
      return;
    }
    this.#hasHead = true;
    this.#head = head;
    this.#gathered = text.substring(end);
  }

  bytes(buffer: Buffer, start: number, end: number): void {
    if (this.#gathered.length + end - start <= GATHER_MAX_BYTES) {
      this.#gathered += buffer.toString("latin1", start, end);
      return;
    }
    this.flush();
    const stream = this.#openStream();
    if (stream === undefined) return;
    const copy = this.#buffers.copy(buffer, start, end);
    const hasRoom = stream.write(copy.subarray(0, end - start), (error) => {
      if (!error) this.#buffers.giveBack(copy);
    });
    if (!hasRoom) this.isFull = true;
  }

  trailers(lines: string): void {
    this.#trailers = lines;
  }

  flush(): void {
    const stream = this.#openStream();
    if (stream === undefined) return;
    this.#sendHead(stream, false);
    const text = this.#gathered;
    this.#gathered = "";
    if (text !== "" && !stream.writableEnded && !stream.write(text, "latin1")) this.isFull = true;
  }

  /** The answer is complete. */
  end(): void {
    const stream = this.#openStream();
    if (stream === undefined) return;
    this.#sendHead(stream, this.#gathered === "" && this.#trailers === "");
    if (stream.writableEnded) return;
    if (this.#gathered === "") stream.end();
    else stream.end(this.#gathered, "latin1");
    this.#gathered = "";
  }

  /** An answer that has no body by its nature ends its stream with the head. */
  #sendHead(stream: ServerHttp2Stream, endStream: boolean): void {
    const head = this.#head;
    if (head === undefined) return;
    this.#head = undefined;
    // A body of known length has no trailers.
    const waitForTrailers = !endStream && !head.includes("content-length");
    if (waitForTrailers) stream.on("wantTrailers", this.#sendTrailers);
    stream.respond(head, { endStream, waitForTrailers });
  }

  /** Without any, this is an empty frame that ends the stream. */
  readonly #sendTrailers = (): void => {
    this.#openStream()?.sendTrailers(asHeaders(readFieldLines(this.#trailers, 0, this.#trailers.length)));
  };

  #openStream(): ServerHttp2Stream | undefined {
    return this.#stream?.destroyed || this.#stream?.closed ? undefined : this.#stream;
  }
}

function asHeaders(list: readonly string[]): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = {};
  for (let at = 0; at < list.length; at += 2) {
    const name = list[at]!;
    const before = headers[name];
    headers[name] = before === undefined ? list[at + 1]! : [...[before].flat(), list[at + 1]!];
  }
  return headers;
}
