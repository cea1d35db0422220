import type { Side } from "./input.ts";

/**
 * llhttp, Node's own parser, in the binding through which `node:http` uses it: strict, with none of the lenient flags. The module is not
 * documented, but it is what makes millions of cases possible, since a socket for each would cost a hundred times as much.
 */
interface HttpParser {
  [callback: number]: (...args: never[]) => unknown;
  initialize(type: number, resource: object, maxHeaderBytes: number, lenientFlags: number): void;
  /** Octets taken, or what is wrong. */
  execute(octets: Uint8Array): number | (Error & { readonly code: string });
  finish(): undefined | (Error & { readonly code: string });
}

interface HttpParserClass {
  new (): HttpParser;
  readonly REQUEST: number;
  readonly RESPONSE: number;
  readonly kOnHeaders: number;
  readonly kOnHeadersComplete: number;
  readonly kOnBody: number;
  readonly kOnMessageComplete: number;
  readonly kLenientNone: number;
}

interface HttpCommon {
  readonly HTTPParser: HttpParserClass;
  readonly methods: readonly string[];
}

const MAX_HEAD_BYTES = 1 << 21;
const NO_RESOURCE = {};
const SKIP_BODY = 1;
const CLOSED = "HPE_CLOSED_CONNECTION";

function httpCommon(): HttpCommon {
  const common = process.getBuiltinModule("node:_http_common") as HttpCommon | undefined;
  if (common?.HTTPParser === undefined) throw new Error("this version of Node does not show its HTTP parser");
  return common;
}

/** One llhttp for one connection after another; what it found since the last `beginMessage` is in its properties. */
export class LlhttpReader {
  readonly methods: readonly string[];
  readonly #class: HttpParserClass;
  readonly #parser: HttpParser;
  /** Why it takes no more, if so. */
  error: string | undefined;
  hasHead = false;
  kind = "";
  what = "";
  minorVersion = 0;
  fields: string[] = [];
  body = "";
  trailers: string[] = [];
  /** Messages that were completed. */
  completed = 0;
  /** Whether a response with this status has no body, as whoever uses llhttp has to tell it. */
  #skipsBody: (status: number) => boolean = () => false;

  constructor() {
    const { HTTPParser, methods } = httpCommon();
    this.methods = methods;
    this.#class = HTTPParser;
    this.#parser = new HTTPParser();
    this.#parser[HTTPParser.kOnHeaders] = (fields: string[], url: string) => this.#onFields(fields, url);
    this.#parser[HTTPParser.kOnHeadersComplete] = (
      _major: number,
      minor: number,
      fields: string[] | undefined,
      method: number | undefined,
      url: string | undefined,
      status: number | undefined,
      phrase: string | undefined,
    ) => {
      this.hasHead = true;
      this.minorVersion = minor;
      if (fields !== undefined) this.fields = fields;
      if (status === undefined) {
        this.kind = methods[method!] ?? String(method);
        this.what += url ?? "";
        return 0;
      }
      this.kind = String(status);
      this.what = phrase ?? "";
      return this.#skipsBody(status) ? SKIP_BODY : 0;
    };
    this.#parser[HTTPParser.kOnBody] = (octets: Buffer) => {
      this.body += octets.toString("latin1");
    };
    this.#parser[HTTPParser.kOnMessageComplete] = () => {
      this.completed++;
    };
  }

  beginConnection(side: Side): void {
    const { REQUEST, RESPONSE, kLenientNone } = this.#class;
    this.#parser.initialize(side === "request" ? REQUEST : RESPONSE, NO_RESOURCE, MAX_HEAD_BYTES, kLenientNone);
    this.error = undefined;
  }

  beginMessage(skipsBody: (status: number) => boolean): void {
    this.#skipsBody = skipsBody;
    this.hasHead = false;
    this.kind = "";
    this.what = "";
    this.fields = [];
    this.body = "";
    this.trailers = [];
    this.completed = 0;
  }

  feed(octets: Uint8Array): void {
    let rest = octets;
    while (rest.length > 0 && this.error === undefined) {
      const result = this.#parser.execute(rest);
      if (typeof result !== "number") this.error = result.code;
      // It stops once behind a request that asks for an upgrade; after such a request its errors are hidden as well.
      else if (result <= 0 || result > rest.length) this.error = "hidden by the upgrade";
      else rest = rest.subarray(result);
    }
  }

  /** Whether it takes nothing after the last message. To be asked at the end of one, and the last thing to be asked. */
  isClosed(begun: Uint8Array): boolean {
    const result = this.#parser.execute(begun);
    return typeof result !== "number" && result.code === CLOSED;
  }

  /** The connection has ended. */
  finish(): void {
    this.error ??= this.#parser.finish()?.code;
  }

  /** Head fields beyond what fits at once, or trailers: those come when the head is complete. */
  #onFields(fields: string[], url: string): void {
    if (this.hasHead) {
      this.trailers.push(...fields);
      return;
    }
    this.fields.push(...fields);
    this.what += url;
  }
}
