import { ChunkedDecoder } from "./chunked-decoder.ts";
import { NO_TRAILERS, type Trailers } from "./trailers.ts";

/** How the end of a body is known (RFC 9112 §6.3). */
export type BodyFraming = "none" | "length" | "chunked" | "until-close";

/** Takes the data of one body; `buffer` is only lent for the call. */
export interface BodySink {
  onBody(buffer: Buffer, start: number, end: number): void;
}

/** Takes the body of one message after another out of the octets of a connection. */
export class BodyReader {
  isDone = true;
  /** Why the body was refused, or undefined. */
  reason: string | undefined;
  framing: BodyFraming = "none";
  #remaining = 0;
  /** Made with the first body in chunks. */
  #chunks: ChunkedDecoder | undefined;

  /** What came behind the body that is done, until the next one begins. */
  get trailers(): Trailers {
    return this.framing === "chunked" && this.#chunks !== undefined ? this.#chunks.trailers : NO_TRAILERS;
  }

  /** @param maxTrailerBytes what may follow the last chunk */
  begin(framing: BodyFraming, length: number, maxTrailerBytes: number): void {
    this.framing = framing;
    this.#remaining = length;
    this.isDone = framing === "none" || (framing === "length" && length === 0);
    this.reason = undefined;
    if (framing !== "chunked") return;
    this.#chunks ??= new ChunkedDecoder();
    this.#chunks.reset(maxTrailerBytes);
  }

  /** Hands data among octets `start` to `end` to `sink`. Answers the position after what belongs to the body, -1 when refused. */
  read(buffer: Buffer, start: number, end: number, sink: BodySink): number {
    if (this.framing === "chunked") return this.#readChunks(this.#chunks!, buffer, start, end, sink);
    const bodyEnd = this.framing === "length" ? Math.min(end, start + this.#remaining) : end;
    this.#remaining -= bodyEnd - start;
    if (this.framing === "length") this.isDone = this.#remaining === 0;
    sink.onBody(buffer, start, bodyEnd);
    return bodyEnd;
  }

  #readChunks(chunks: ChunkedDecoder, buffer: Buffer, start: number, end: number, sink: BodySink): number {
    chunks.position = start;
    for (;;) {
      const found = chunks.next(buffer, end);
      if (found === "data") sink.onBody(buffer, chunks.dataStart, chunks.dataEnd);
      else if (found === "refused") {
        this.reason = chunks.reason;
        return -1;
      } else {
        this.isDone = found === "done";
        return chunks.position;
      }
    }
  }
}
