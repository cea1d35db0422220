import type { BodyFraming } from "../../http/body-reader.ts";
import type { MessageWriter } from "../../http/request-channel.ts";

/** How the body goes to the client: one of unknown length is chunked, but for HTTP/1.0, which knows only the close, and HTTP/2. */
export function clientFraming(framing: BodyFraming, takesChunks: boolean): BodyFraming {
  if (framing !== "chunked" && framing !== "until-close") return framing;
  return takesChunks ? "chunked" : "until-close";
}

/** Writes a piece of a body; `isChunked` frames it as a chunk. */
export function writeBody(writer: MessageWriter, isChunked: boolean, buffer: Buffer, start: number, end: number): void {
  if (isChunked) writer.text(`${(end - start).toString(16)}\r\n`);
  writer.bytes(buffer, start, end);
  if (isChunked) writer.text("\r\n");
}

/** Writes what marks the end of a body, and the lines of its trailers. */
export function endBody(writer: MessageWriter, isChunked: boolean, trailers: string): void {
  if (isChunked) writer.text(`0\r\n${trailers}\r\n`);
  else if (trailers !== "") writer.trailers?.(trailers);
}
