import type { Clock } from "../../core/clock.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import type { Post } from "../worker/worker-protocol.ts";

/** What a request came to. Octets are those of the bodies. */
export interface ServedRequest {
  readonly requestId: string;
  readonly client: string;
  readonly method: string;
  readonly host: string;
  /** With the query where it is asked for. */
  readonly path: string;
  readonly protocol: string;
  readonly route: string | undefined;
  readonly target: string | undefined;
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

/** A piece is given to the supervisor at this size, or at the next flush. */
const PIECE_BYTES = 65_536;
/** Pieces given to the supervisor that it has not taken yet; more than that is dropped. */
const MAX_PIECES_ON_THE_WAY = 64;

/**
 * A worker's end of the access log. A line costs a few string operations: lines are gathered, and go to the supervisor, who
 * owns the file, in large pieces. When the supervisor does not keep up, lines are dropped and counted; a request never waits.
 */
export class AccessLog {
  readonly #clock: Clock;
  readonly #cells: WorkerCells;
  readonly #post: Post;
  #gathered = "";
  #lines = 0;
  #sentPieces: number;
  #timeMs = 0;
  #time = "";

  constructor(clock: Clock, cells: WorkerCells, post: Post) {
    this.#clock = clock;
    this.#cells = cells;
    this.#post = post;
    // A replacement begins where the supervisor stands.
    this.#sentPieces = cells.get("accessLogPiecesTaken");
  }

  write(request: ServedRequest): void {
    this.#gathered += lineOf(request, this.#now());
    this.#lines++;
    if (this.#gathered.length >= PIECE_BYTES) this.flush();
  }

  flush(): void {
    const lines = this.#lines;
    if (lines === 0) return;
    const octets = new TextEncoder().encode(this.#gathered);
    this.#gathered = "";
    this.#lines = 0;
    if (this.#sentPieces - this.#cells.get("accessLogPiecesTaken") >= MAX_PIECES_ON_THE_WAY) {
      this.#cells.add("accessLogDropped", lines);
      return;
    }
    this.#sentPieces++;
    this.#post({ type: "access", octets, lines }, [octets.buffer]);
  }

  /** RFC 3339, made once for each millisecond. */
  #now(): string {
    const nowMs = this.#clock.now();
    if (nowMs !== this.#timeMs) {
      this.#timeMs = nowMs;
      this.#time = new Date(nowMs).toISOString();
    }
    return this.#time;
  }
}

/** One JSON object and a line end. What a request does not have is left out. */
function lineOf(request: ServedRequest, time: string): string {
  const { route, target, failure, upstreamMs, headers } = request;
  return (
    `{"time":"${time}","request_id":"${request.requestId}","client":"${request.client}","method":"${request.method}",` +
    `"host":${quoted(request.host)},"path":${quoted(request.path)},"protocol":"${request.protocol}"` +
    (route === undefined ? "" : `,"route":"${route}"`) +
    (target === undefined ? "" : `,"target":"${target}"`) +
    `,"status":${request.status}` +
    (failure === undefined ? "" : `,"failure":"${failure}"`) +
    `,"bytes_in":${request.requestBytes},"bytes_out":${request.responseBytes},"duration_ms":${micros(request.durationMs)}` +
    (upstreamMs === undefined ? "" : `,"upstream_ms":${micros(upstreamMs)}`) +
    (headers === undefined ? "}\n" : `,"headers":${JSON.stringify(headers)}}\n`)
  );
}

/** Stands in JSON as it is. */
const PLAIN = /^[\w./:%&=?@+~,;!*'()$[\]|-]*$/;

function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : JSON.stringify(text);
}

/** Milliseconds with three places. */
function micros(ms: number): number {
  return Math.round(ms * 1_000) / 1_000;
}
