import type { ClientHttp2Stream } from "node:http2";
import type { OctetBuffers } from "../octet-buffers.ts";
import type { MessageWriter } from "../request-channel.ts";
import { asHeaders, fieldList, requestList } from "./header-list.ts";

/** Data up to this size is gathered, so that a head and a small body leave together. */
const GATHER_MAX_BYTES = 12_288;
const END_OF_HEAD = "\r\n\r\n";

/** How a head is sent. */
export interface HeadOptions {
  readonly endStream: boolean;
  readonly waitForTrailers: boolean;
}

type Open = (head: readonly string[], options: HeadOptions) => ClientHttp2Stream | undefined;

/** Writes one request after another to the streams that take one place of an HTTP/2 connection; each head opens one. */
export class RequestWriter implements MessageWriter {
  /** Until the stream's `drain`. */
  isFull = false;
  readonly #buffers: OctetBuffers;
  readonly #scheme: string;
  readonly #open: Open;
  #stream: ClientHttp2Stream | undefined;
  /** The head, until it is sent. */
  #head: readonly string[] | undefined;
  #hasHead = false;
  #hasEnded = false;
  #gathered = "";
  #trailers = "";

  constructor(buffers: OctetBuffers, scheme: string, open: Open) {
    this.#buffers = buffers;
    this.#scheme = scheme;
    this.#open = open;
  }

  begin(): void {
    this.#stream = undefined;
    this.#hasHead = false;
    this.#hasEnded = false;
    this.#head = undefined;
    this.#gathered = "";
    this.#trailers = "";
    this.isFull = false;
  }

  /** A head, with what of the body comes with it; after the head, of the body. */
  text(text: string): void {
    if (this.#hasHead) {
      this.#gathered += text;
      return;
    }
    const end = text.indexOf(END_OF_HEAD) + END_OF_HEAD.length;
    this.#head = requestList(text, end, this.#scheme);
    this.#hasHead = true;
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
    if (this.#head !== undefined) this.#sendHead(this.#head);
    const stream = this.#openStream();
    if (stream === undefined || stream.writableEnded) return;
    const text = this.#gathered;
    this.#gathered = "";
    if (this.#hasEnded) endWith(stream, text);
    else if (text !== "" && !stream.write(text, "latin1")) this.isFull = true;
  }

  /** The message is complete, and leaves with the next flush. */
  end(): void {
    this.#hasEnded = true;
  }

  #openStream(): ClientHttp2Stream | undefined {
    return this.#stream?.destroyed || this.#stream?.closed ? undefined : this.#stream;
  }

  /** One that has no body by its nature ends its stream with the head; trailers are those that the head announces. */
  #sendHead(head: readonly string[]): void {
    this.#head = undefined;
    const endStream = this.#hasEnded && this.#gathered === "" && this.#trailers === "";
    const waitForTrailers = !endStream && head.includes("trailer");
    this.#stream = this.#open(head, { endStream, waitForTrailers });
    if (waitForTrailers) this.#stream?.on("wantTrailers", this.#sendTrailers);
  }

  /** Without any, this is an empty frame that ends the stream. */
  readonly #sendTrailers = (): void => {
    this.#openStream()?.sendTrailers(asHeaders(fieldList(this.#trailers, 0, this.#trailers.length)));
  };
}

function endWith(stream: ClientHttp2Stream, text: string): void {
  if (text === "") stream.end();
  else stream.end(text, "latin1");
}
