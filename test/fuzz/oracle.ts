import { writeTrailers } from "../../src/http/trailers.ts";
import { type Input, MAX_HEAD_BYTES } from "./input.ts";
import {
  asksForUpgrade,
  hasNoBody,
  type KnownDifference,
  reasonToClose,
  renamed,
  withRenamed,
} from "./known-differences.ts";
import type { LlhttpReader } from "./llhttp-reader.ts";
import { type Message, type Reading, readingDifference } from "./reading.ts";
import { referenceTarget } from "./reference-target.ts";

/** What it shows instead of a method that llhttp does not know. */
const KNOWN_METHOD = "GET";
const NOTHING_READ: Reading = { messages: [], outcome: "waiting", reason: "" };

/**
 * The rule: whatever we accept, llhttp accepts with the same borders.
 *
 * Our parser reads first, in the pieces that the input names, and once more in others: it has to come to the same. Then llhttp
 * is shown each message that we took: all of the head but its last octet, after which the head must not be complete, then that
 * octet, after which it must be; the same with the body. So borders are compared to the octet, though llhttp does not tell where
 * they are. Of a message that we took in part, it is shown the part. One octet behind the last message shows whether llhttp, too,
 * would let another follow.
 */
export class Oracle {
  /** How often each known difference was met. */
  readonly met = new Map<KnownDifference, number>();
  readonly #read: (input: Input) => Reading;
  readonly #llhttp: LlhttpReader;
  readonly #octets = Buffer.alloc(1 << 17);

  constructor(read: (input: Input) => Reading, llhttp: LlhttpReader) {
    this.#read = read;
    this.#llhttp = llhttp;
  }

  /** `fault` is undefined when all agree; faults of one kind have the same words. */
  judge(input: Input): { readonly reading: Reading; readonly fault: string | undefined } {
    let reading = NOTHING_READ;
    try {
      reading = this.#read(input);
      return { reading, fault: this.#pieceFault(input, reading) ?? this.#connectionFault(input, reading) };
    } catch (error) {
      return { reading, fault: `it throws: ${(error as Error).message}` };
    }
  }

  #pieceFault(input: Input, reading: Reading): string | undefined {
    const otherCuts = input.cuts.length > 0 ? [] : [input.text.length >> 1];
    const other = this.#read({ ...input, cuts: otherCuts });
    const difference = readingDifference(reading, other);
    if (difference !== undefined) return `the pieces change the reading: ${difference}`;
    // A head that is both too long and wrong may be refused for either.
    if (reading.reason === other.reason || input.maxHeadBytes < MAX_HEAD_BYTES) return undefined;
    return `the pieces change why it is refused: ${reading.reason}, or ${other.reason}`;
  }

  #connectionFault(input: Input, { messages, outcome }: Reading): string | undefined {
    const last = messages.at(-1);
    if (last === undefined) return undefined;
    this.#llhttp.beginConnection(input.side);
    let { answersHead } = input;
    for (const message of messages) {
      this.#beginMessage(input.side === "response", message, answersHead);
      if (!message.kind.startsWith("1")) answersHead = false;
      const fault =
        this.#headFault(input, message) ??
        this.#headDifference(message) ??
        this.#bodyFault(input, message, outcome) ??
        this.#bodyDifference(message);
      if (fault !== undefined) return fault;
    }
    return last.end === undefined || last.untilClose ? undefined : this.#keepAliveFault(last);
  }

  #beginMessage(isResponse: boolean, message: Message, answersHead: boolean): void {
    if (!isResponse) {
      if (!this.#llhttp.methods.includes(message.kind)) this.#meet("unknown method");
      if (asksForUpgrade(message)) this.#meet("request for an upgrade");
    } else if (hasNoBody(Number(message.kind), answersHead)) this.#meet("status without a body");
    this.#llhttp.beginMessage((status) => isResponse && hasNoBody(status, answersHead));
  }

  #headFault({ side, text }: Input, message: Message): string | undefined {
    const llhttp = this.#llhttp;
    let head = text.substring(message.start, message.headEnd);
    if (side === "request" && !llhttp.methods.includes(message.kind)) head = head.replace(message.kind, KNOWN_METHOD);
    head = head.replace(/(?<=\n)proxy-connection(?=:)/gi, (name) => {
      this.#meet("Proxy-Connection");
      return renamed(name);
    });
    this.#feed(head.slice(0, -1));
    if (llhttp.hasHead) return "the head ends earlier for llhttp";
    this.#feed(head.slice(-1));
    if (llhttp.error !== undefined) return `llhttp refuses the head: ${llhttp.error}`;
    return llhttp.hasHead ? undefined : "the head ends later for llhttp";
  }

  #bodyFault({ text }: Input, message: Message, outcome: Reading["outcome"]): string | undefined {
    const llhttp = this.#llhttp;
    const { headEnd } = message;
    const end = message.untilClose ? undefined : message.end;
    const octets = text.substring(headEnd, end);
    if (octets !== "") {
      if (llhttp.completed > 0) return "there is no body for llhttp";
      this.#feed(end === undefined ? octets : octets.slice(0, -1));
    }
    // What it says of the octet that we refused, and of those behind it, does not matter.
    if (end === undefined && outcome === "refused") return undefined;
    if (octets !== "" && llhttp.completed > 0) return "the body ends earlier for llhttp";
    if (end !== undefined) this.#feed(octets.slice(-1));
    else if (message.untilClose && outcome === "closed") llhttp.finish();
    if (llhttp.error !== undefined) return `llhttp refuses the body: ${llhttp.error}`;
    return llhttp.completed === (message.end === undefined ? 0 : 1) ? undefined : "the body ends later for llhttp";
  }

  #headDifference(message: Message): string | undefined {
    const llhttp = this.#llhttp;
    const isRequest = !/^\d/.test(llhttp.kind);
    const kind = isRequest && !llhttp.methods.includes(message.kind) ? KNOWN_METHOD : message.kind;
    if (kind !== llhttp.kind) return isRequest ? "another method" : "another status";
    if (message.what !== (isRequest ? referenceTarget(llhttp.what) : llhttp.what))
      return isRequest ? "another target" : "another reason phrase";
    if (message.minorVersion !== llhttp.minorVersion) return "another version";
    if (!areEqual(withRenamed(message.fields), llhttp.fields)) return "other fields";
    return message.written === spelled(message.fields) ? undefined : "the fields are not written as they were read";
  }

  #bodyDifference({ end, body, trailers }: Message): string | undefined {
    const { body: theirs, trailers: theirTrailers } = this.#llhttp;
    if (end === undefined) return theirs.startsWith(body) ? undefined : "another body";
    if (theirs !== body) return "another body";
    const names = theirTrailers.map((text, index) => (index % 2 === 0 ? text.toLowerCase() : text));
    if (!areEqual(trailers, names)) return "other trailers";
    return isSentOn(trailers, writeTrailers(trailers)) ? undefined : "the trailers are not written as they were read";
  }

  #keepAliveFault(last: Message): string | undefined {
    const isClosed = this.#llhttp.isClosed(this.#toOctets(/^\d/.test(last.kind) ? "H" : "G"));
    if (last.keepAlive) return isClosed ? "llhttp closes where we go on" : undefined;
    if (isClosed) return undefined;
    const known = reasonToClose(last);
    if (known === undefined) return "llhttp goes on where we close";
    this.#meet(known);
    return undefined;
  }

  #feed(text: string): void {
    this.#llhttp.feed(this.#toOctets(text));
  }

  #toOctets(text: string): Buffer {
    return this.#octets.subarray(0, this.#octets.write(text, "latin1"));
  }

  #meet(difference: KnownDifference): void {
    this.met.set(difference, (this.met.get(difference) ?? 0) + 1);
  }
}

/** Whether `written` has lines of `trailers`, in their order and whole, and none that would frame a message. */
function isSentOn(trailers: readonly string[], written: string): boolean {
  const lines = written.split("\r\n");
  if (lines.pop() !== "") return false;
  for (let at = 0; at < trailers.length; at += 2) {
    if (lines[0] === `${trailers[at]}: ${trailers[at + 1]}`) lines.shift();
    else if (/^(?:x-[a-d]|x-checksum|grpc-.*)$/.test(trailers[at]!)) return false;
  }
  return lines.length === 0 && !/^(?:content-length|transfer-encoding|connection|trailer|host|te):/m.test(written);
}

/** Fields written anew in the plainest way. */
function spelled(fields: readonly string[]): string {
  let text = "";
  for (let at = 0; at < fields.length; at += 2) text += `${fields[at]}: ${fields[at + 1]}\r\n`;
  return text;
}

function areEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((text, index) => text === other[index]);
}
