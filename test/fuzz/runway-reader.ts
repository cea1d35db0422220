import { type BodyFraming, BodyReader, type BodySink } from "../../src/http/body-reader.ts";
import type { HeadParser } from "../../src/http/head-parser.ts";
import { FIELD_COUNT } from "../../src/http/known-field.ts";
import { RequestParser } from "../../src/http/request-parser.ts";
import { ResponseParser } from "../../src/http/response-parser.ts";
import type { Input } from "./input.ts";
import type { Message, Reading } from "./reading.ts";

const NONE_DROPPED = new Uint8Array(FIELD_COUNT);
/** All pieces go through one buffer, as they do in a worker, so that what an earlier one left behind stands after each. */
const shared = Buffer.alloc(1 << 17);

/** Reads `input` with our parsers, in the order in which a connection uses them. */
export function readByRunway(input: Input): Reading {
  const reader = input.side === "request" ? new RequestReader() : new ResponseReader(input.answersHead);
  let start = 0;
  for (const cut of [...input.cuts, input.text.length]) {
    if (cut <= start) continue;
    shared.write(input.text.substring(start, cut), "latin1");
    reader.take(shared, cut - start, input.maxHeadBytes);
    start = cut;
  }
  return reader.finish();
}

type Draft = { -readonly [Key in keyof Message]: Message[Key] };

abstract class ConnectionReader<Parser extends HeadParser> implements BodySink {
  protected readonly parser: Parser;
  readonly #body = new BodyReader();
  readonly #messages: Draft[] = [];
  #state: "head" | "body" | "refused" | "closed" = "head";
  #reason = "";
  /** Octets before those in the buffer. */
  #passed = 0;
  #messageStart = 0;

  constructor(parser: Parser) {
    this.parser = parser;
  }

  take(buffer: Buffer, end: number, maxHeadBytes: number): void {
    let at = 0;
    while (at < end && this.#state !== "refused" && this.#state !== "closed") {
      const next =
        this.#state === "head" ? this.#readHead(buffer, at, end, maxHeadBytes) : this.#readBody(buffer, at, end);
      if (next <= at) throw new Error("a parser takes nothing and goes on asking");
      at = next;
    }
    this.#passed += end;
  }

  finish(): Reading {
    const last = this.#messages.at(-1);
    if (this.#state === "body" && last?.untilClose) {
      last.end = this.#passed;
      this.#state = "closed";
    }
    const outcome = this.#state === "refused" || this.#state === "closed" ? this.#state : "waiting";
    return { messages: this.#messages, outcome, reason: this.#reason };
  }

  onBody(buffer: Buffer, start: number, end: number): void {
    this.#messages.at(-1)!.body += buffer.toString("latin1", start, end);
  }

  /** What the head says, or why a connection would not take it. */
  protected abstract understand(): Pick<Message, "kind" | "what" | "keepAlive"> | string;
  protected abstract framing(): BodyFraming;

  #readHead(buffer: Buffer, start: number, end: number, maxHeadBytes: number): number {
    const { parser } = this;
    const state = parser.feed(buffer, start, end, maxHeadBytes);
    if (state === "incomplete") return end;
    const understood = state === "refused" ? parser.refusal.reason : this.understand();
    if (typeof understood === "string") return this.#refuse(understood);
    const next = start + parser.consumed;
    const framing = this.framing();
    this.#messages.push({
      ...understood,
      start: this.#messageStart,
      headEnd: this.#passed + next,
      end: undefined,
      minorVersion: parser.minorVersion,
      fields: fieldsOf(parser),
      written: parser.fields.write(NONE_DROPPED, undefined),
      body: "",
      trailers: [],
      untilClose: framing === "until-close",
    });
    this.#body.begin(framing, parser.contentLength, maxHeadBytes);
    this.#state = "body";
    if (this.#body.isDone) this.#endMessage(next);
    return next;
  }

  #readBody(buffer: Buffer, start: number, end: number): number {
    const next = this.#body.read(buffer, start, end, this);
    if (next < 0) return this.#refuse(this.#body.reason ?? "");
    if (this.#body.isDone) this.#endMessage(next);
    return next;
  }

  #endMessage(next: number): void {
    const message = this.#messages.at(-1)!;
    message.end = this.#passed + next;
    message.trailers = this.#body.trailers;
    this.#messageStart = message.end;
    this.parser.reset();
    this.#state = message.keepAlive ? "head" : "closed";
  }

  #refuse(reason: string): number {
    this.#state = "refused";
    this.#reason = reason;
    return Number.POSITIVE_INFINITY;
  }
}

class RequestReader extends ConnectionReader<RequestParser> {
  constructor() {
    super(new RequestParser());
  }

  protected override understand() {
    const { method, path, query, keepAlive } = this.parser;
    return { kind: method, what: path + query, keepAlive };
  }

  protected override framing(): BodyFraming {
    if (!this.parser.hasBody) return "none";
    return this.parser.chunked ? "chunked" : "length";
  }
}

class ResponseReader extends ConnectionReader<ResponseParser> {
  #answersHead: boolean;

  constructor(answersHead: boolean) {
    super(new ResponseParser());
    this.#answersHead = answersHead;
  }

  protected override understand() {
    const { status, reasonPhrase } = this.parser;
    if (status === 101) return "it switches protocols";
    return { kind: String(status), what: reasonPhrase, keepAlive: this.#isReusable() };
  }

  /** As in `ClientConnection`. */
  protected override framing(): BodyFraming {
    const { status, chunked, contentLength } = this.parser;
    if (status < 200) return "none";
    const isHead = this.#answersHead;
    this.#answersHead = false;
    if (isHead || status === 204 || status === 304) return "none";
    if (chunked) return "chunked";
    return contentLength >= 0 ? "length" : "until-close";
  }

  #isReusable(): boolean {
    const { status, chunked, contentLength, keepAlive } = this.parser;
    if (status < 200) return true;
    if (status === 204 && (chunked || contentLength > 0)) return false;
    const hasNoBody = this.#answersHead || status === 204 || status === 304;
    return keepAlive && (hasNoBody || chunked || contentLength >= 0);
  }
}

function fieldsOf({ fields }: HeadParser): readonly string[] {
  return Array.from({ length: fields.count }, (_, index) => [fields.name(index), fields.value(index)]).flat();
}
