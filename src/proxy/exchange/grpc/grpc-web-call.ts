import type { FieldLines } from "../../../http/field-lines.ts";
import { FIELD } from "../../../http/known-field.ts";
import { Base64Decoder, Base64Encoder } from "./base64-stream.ts";

const CONTENT_TYPE = /^application\/grpc-web(-text)?((?:[+;].*)?)$/is;
const ACCEPTS_TEXT = /application\/grpc-web-text/i;
const FROM_GRPC = /^application\/grpc(?=[+;]|$)/i;
/** Marks the frame of a body that holds its trailers, and is not compressed. */
const TRAILER_FRAME = 0x80;

/**
 * A call of gRPC-Web, which browsers make since they neither see trailers nor can be sure of HTTP/2, and what is between it and the
 * call of gRPC that the target gets (grpc/doc/PROTOCOL-WEB.md): another content type, trailers as a last frame of the body, and
 * base64 around bodies where the caller wants text.
 */
export class GrpcWebCall {
  /** What the target is told that the body is. */
  readonly targetType: string;
  readonly #decoder: Base64Decoder | undefined;
  readonly #encoder: Base64Encoder | undefined;

  /** Undefined when the request is not such a call. */
  static of(fields: FieldLines): GrpcWebCall | undefined {
    const index = fields.indexOf(FIELD.contentType);
    const found = index < 0 ? null : CONTENT_TYPE.exec(fields.value(index));
    if (found === null) return undefined;
    const isText = found[1] !== undefined;
    return new GrpcWebCall(found[2]!, isText, isText || ACCEPTS_TEXT.test(fields.find("accept") ?? ""));
  }

  private constructor(format: string, isText: boolean, wantsText: boolean) {
    this.targetType = `application/grpc${format}`;
    this.#decoder = isText ? new Base64Decoder() : undefined;
    this.#encoder = wantsText ? new Base64Encoder() : undefined;
  }

  /** Whether bodies of requests are to go through `decode`. */
  get isText(): boolean {
    return this.#decoder !== undefined;
  }

  /** Whether no character is missing at the end of the body. */
  get isWhole(): boolean {
    return this.#decoder?.isWhole !== false;
  }

  /** A piece of the request's body as the target gets it; undefined when it is not valid. */
  decode(buffer: Buffer, start: number, end: number): Buffer | undefined {
    return this.#decoder?.decode(buffer, start, end);
  }

  /** What the caller is told that the body is; undefined when `type` is not that of an answer in gRPC. */
  answerType(type: string): string | undefined {
    const ours = this.#encoder === undefined ? "application/grpc-web" : "application/grpc-web-text";
    return FROM_GRPC.test(type) ? type.replace(FROM_GRPC, ours) : undefined;
  }

  /** Octets of the response as the caller gets them, which may be a little later. */
  encode(octets: Buffer): Buffer {
    return this.#encoder === undefined ? octets : this.#encoder.encode(octets);
  }

  /** What was kept back and is to go now. */
  flush(): Buffer {
    return this.#encoder === undefined ? Buffer.alloc(0) : this.#encoder.flush();
  }

  /** @param trailers lines, each ending with CRLF, names in lower case */
  end(trailers: string): Buffer {
    const frame = Buffer.allocUnsafe(5 + trailers.length);
    frame.writeUInt8(TRAILER_FRAME, 0);
    frame.writeUInt32BE(trailers.length, 1);
    frame.write(trailers, 5, "latin1");
    return Buffer.concat([this.encode(frame), this.flush()]);
  }
}
