import type { CompiledRoute } from "../route/compiled-route.ts";
import type { Target } from "../upstream/target.ts";
import type { AccessLog } from "./access-log.ts";
import { LineConstant, MAX_NUMBER_BYTES, PADDING_BYTES } from "./line-octets.ts";

/** What a request came to. Octets are those of the bodies; text is latin1, one character an octet. */
export interface ServedRequest {
  readonly requestId: string;
  readonly method: string;
  readonly host: string;
  /** With the query where it is asked for. */
  readonly path: string;
  readonly protocol: string;
  readonly route: Pick<CompiledRoute, "id"> | undefined;
  readonly target: Pick<Target, "pool"> | undefined;
  readonly status: number;
  /** The code of the failure, when the gateway answered or cut. */
  readonly failure: string | undefined;
  readonly requestBytes: number;
  readonly responseBytes: number;
  readonly durationMs: number;
  /** Until the response of the target began; undefined when it did not. */
  readonly upstreamMs: number | undefined;
  readonly headers: Readonly<Record<string, string | undefined>> | undefined;
}

const BYTES_IN = new LineConstant(',"bytes_in":');
const BYTES_OUT = new LineConstant(',"bytes_out":');
const DURATION = new LineConstant(',"duration_ms":');
const UPSTREAM = new LineConstant(',"upstream_ms":');
const END = "}\n";
/** The most that those and their numbers take, and the status. */
const MAX_FIGURES_BYTES =
  [BYTES_IN, BYTES_OUT, DURATION, UPSTREAM].reduce((sum, { length }) => sum + length, PADDING_BYTES) +
  5 * MAX_NUMBER_BYTES;

/**
 * Writes the lines of the access log for the requests of one connection: a JSON object and a line end, all of it ASCII. What a
 * request does not have is left out.
 *
 * A line goes straight into the memory that the log lends, a piece at a time. What the requests of a connection have in common, and
 * what a request has in common with the one before, is kept in one piece. Only host, path and headers are looked through for what
 * JSON has to escape: all else is ours, or a token.
 */
export class AccessLogLine {
  readonly #log: AccessLog;
  readonly #client: string;
  #host: string | undefined;
  #protocol = "";
  /** Who asks whom; made of the two above. */
  #who = "";
  #route: ServedRequest["route"];
  #target: ServedRequest["target"];
  /** Where it went; made of the two above. Empty before the first line. */
  #where = "";
  #method = "";
  #path = "";
  /** Who asked for what, and where it went; made of all above. Empty where one of them is not that of the request before. */
  #middle = "";
  /** Whether the middle is in one piece, which is worth it when it comes again. */
  #isFlat = false;

  /** @param client the address of who asks */
  constructor(log: AccessLog, client: string) {
    this.#log = log;
    this.#client = client;
  }

  write(request: ServedRequest): void {
    const { method, host, protocol, route, target, path, requestId, upstreamMs } = request;
    if (host !== this.#host || protocol !== this.#protocol) this.#recallWho(host, protocol);
    if (this.#where === "" || route !== this.#route || target !== this.#target) this.#recallWhere(route, target);
    if (this.#middle === "" || path !== this.#path || method !== this.#method) this.#recallMiddle(method, path);
    else if (!this.#isFlat) this.#flattenMiddle();
    const failure = request.failure === undefined ? "" : `,"failure":"${request.failure}"`;
    const end = request.headers === undefined ? END : `,"headers":${inAscii(JSON.stringify(request.headers))}${END}`;
    const { begin } = this.#log;
    const texts = begin.length + requestId.length + this.#middle.length + failure.length + end.length;
    const octets = this.#log.open(texts + MAX_FIGURES_BYTES);
    if (octets === undefined) return;
    octets.text(begin);
    octets.text(requestId);
    octets.text(this.#middle);
    octets.whole(request.status);
    if (failure !== "") octets.text(failure);
    octets.constant(BYTES_IN);
    octets.whole(request.requestBytes);
    octets.constant(BYTES_OUT);
    octets.whole(request.responseBytes);
    octets.constant(DURATION);
    octets.thousandths(request.durationMs);
    if (upstreamMs !== undefined) {
      octets.constant(UPSTREAM);
      octets.thousandths(upstreamMs);
    }
    octets.text(end);
    this.#log.close();
  }

  #recallMiddle(method: string, path: string): void {
    this.#method = method;
    this.#path = path;
    const asked = PLAIN.test(path) ? `","path":"${path}"` : `","path":${JSON.stringify(path)}`;
    this.#middle = this.#who + method + asked + this.#where;
    this.#isFlat = false;
  }

  #flattenMiddle(): void {
    this.#middle = flat(this.#middle);
    this.#isFlat = true;
  }

  #recallWho(host: string, protocol: string): void {
    this.#middle = "";
    this.#host = host;
    this.#protocol = protocol;
    this.#who = flat(`","client":"${this.#client}","protocol":"${protocol}","host":${JSON.stringify(host)},"method":"`);
  }

  #recallWhere(route: ServedRequest["route"], target: ServedRequest["target"]): void {
    this.#middle = "";
    this.#route = route;
    this.#target = target;
    this.#where = whereOf(route, target);
  }
}

/** Everything before the request id. @param nowMs since 1970; in the line as RFC 3339 has it */
export function beginOfLine(nowMs: number): string {
  return flat(`{"time":"${new Date(nowMs).toISOString()}","request_id":"`);
}

function whereOf(route: ServedRequest["route"], target: ServedRequest["target"]): string {
  return flat(
    (route === undefined ? "" : `,"route":"${route.id}"`) +
      (target === undefined ? "" : `,"target":"${target.pool.authority}"`) +
      `,"status":`,
  );
}

/** The same text in one piece, however it was joined. */
function flat(text: string): string {
  return Buffer.from(text, "latin1").toString("latin1");
}

/** Stands in JSON as it is. */
const PLAIN = /^[\w./:%&=?@+~,;!*'()$[\]|-]*$/;

/** Fields may have octets of any encoding, which are taken for latin1. */
function inAscii(json: string): string {
  return json.replace(/[\x80-\uffff]/g, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`);
}
