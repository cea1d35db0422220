import type { Clock } from "../../core/clock.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import type { Post } from "../worker/worker-protocol.ts";
import { beginOfLine } from "./access-log-line.ts";
import { LineOctets } from "./line-octets.ts";

/** A piece is given to the supervisor when its next line might not fit, or at the next flush. */
const PIECE_BYTES = 524_288;
/** Pieces given to the supervisor that it has not taken yet; more than that is dropped. */
const MAX_PIECES_ON_THE_WAY = 8;

/**
 * A worker's end of the access log. Lines are gathered in pieces of memory that is shared with the supervisor, who owns the file
 * and copies what it is given: so nothing is allocated for a piece, nor collected. Pieces are taken in the order in which they
 * were given, and are filled again then. When the supervisor does not keep up, lines are dropped and counted; a request never
 * waits.
 */
export class AccessLog {
  readonly #clock: Clock;
  readonly #cells: WorkerCells;
  readonly #post: Post;
  /** In the order in which they are filled, made when they are needed. */
  readonly #pieces: Buffer[] = [];
  readonly #taken = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT));
  #given = 0;
  /** The place of the piece that is being filled. */
  #place = 0;
  readonly #octets = new LineOctets();
  /** Whether the line that is being written has its memory to itself, since no piece can hold it. */
  #isAlone = false;
  #lines = 0;
  #beginMs = 0;
  #begin = beginOfLine(0);

  constructor(clock: Clock, cells: WorkerCells, post: Post) {
    this.#clock = clock;
    this.#cells = cells;
    this.#post = post;
  }

  /** How a line begins now, made once for each millisecond. */
  get begin(): string {
    const nowMs = this.#clock.now();
    if (nowMs !== this.#beginMs) {
      this.#beginMs = nowMs;
      this.#begin = beginOfLine(nowMs);
    }
    return this.#begin;
  }

  /** Where the next line is to be written, its end with it; undefined where it has to be dropped. */
  open(maxBytes: number): LineOctets | undefined {
    if (this.#octets.end + maxBytes > PIECE_BYTES) this.flush();
    if (!this.#hasRoom()) {
      this.#cells.add("accessLogDropped", 1);
      return undefined;
    }
    this.#isAlone = maxBytes > PIECE_BYTES;
    if (this.#isAlone) this.#octets.moveTo(Buffer.allocUnsafeSlow(maxBytes));
    else if (this.#lines === 0) this.#octets.moveTo(this.#piece());
    return this.#octets;
  }

  /** The line that was opened is written. */
  close(): void {
    this.#lines++;
    if (this.#isAlone) this.flush();
  }

  flush(): void {
    if (this.#lines === 0) return;
    this.#given++;
    this.#place = (this.#place + 1) % MAX_PIECES_ON_THE_WAY;
    this.#post({ type: "access", octets: this.#octets.written, lines: this.#lines, taken: this.#taken });
    this.#octets.end = 0;
    this.#lines = 0;
  }

  #hasRoom(): boolean {
    if (this.#lines > 0) return true;
    const onTheWay = this.#given - Atomics.load(this.#taken, 0);
    if (onTheWay === 0) this.#place = 0; // The memory that was used last is still in the caches.
    return onTheWay < MAX_PIECES_ON_THE_WAY;
  }

  #piece(): Buffer {
    this.#pieces[this.#place] ??= Buffer.from(new SharedArrayBuffer(PIECE_BYTES));
    return this.#pieces[this.#place]!;
  }
}
