import type { Clock } from "../../core/clock.ts";
import type { WorkerCells } from "../counters/shared-state.ts";
import type { Post } from "../worker/worker-protocol.ts";
import { beginOfLine } from "./access-log-line.ts";

/** A piece is given to the supervisor when its next line might not fit, or at the next flush. */
const PIECE_BYTES = 131_072;
/** Pieces given to the supervisor that it has not taken yet; more than that is dropped. */
const MAX_PIECES_ON_THE_WAY = 32;

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
  #bytes = 0;
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

  /** @param line with its line end, in ASCII */
  write(line: string): void {
    if (this.#bytes + line.length > PIECE_BYTES) this.flush();
    if (!this.#hasRoom()) this.#cells.add("accessLogDropped", 1);
    else if (line.length > PIECE_BYTES) this.#give(Buffer.from(line, "latin1"), 1);
    else {
      this.#bytes += this.#piece().write(line, this.#bytes, line.length, "latin1");
      this.#lines++;
    }
  }

  flush(): void {
    if (this.#lines === 0) return;
    this.#give(this.#piece().subarray(0, this.#bytes), this.#lines);
    this.#bytes = 0;
    this.#lines = 0;
  }

  #give(octets: Uint8Array, lines: number): void {
    this.#given++;
    this.#place = (this.#place + 1) % MAX_PIECES_ON_THE_WAY;
    this.#post({ type: "access", octets, lines, taken: this.#taken });
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
