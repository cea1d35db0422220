import { writeSync } from "node:fs";
import { type ByteSink, openByteSink } from "./byte-sink.ts";

/** More than this waiting for a reader that does not read is dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;

/** What is kept for reuse of a buffer that had to grow. */
const SPARE_BYTES = 1_048_576;

/**
 * Writes lines to a file descriptor without ever blocking the event loop or failing: one write is in flight at a time, what
 * comes meanwhile waits in a bounded buffer, and a reader that is too slow or gone costs lines and nothing else. The buffer that
 * was written takes the place of the one that is written next, so that writing allocates nothing in the long run.
 */
export class LineOutput {
  readonly #fileDescriptor: number;
  readonly #sink: ByteSink;
  #waiting = Buffer.alloc(0);
  #waitingBytes = 0;
  #waitingLines = 0;
  #spare = Buffer.alloc(0);
  #state: "idle" | "writing" | "gone" = "idle";
  #dropped = 0;
  #afterwards: (() => void) | undefined;

  constructor(fileDescriptor: number) {
    this.#fileDescriptor = fileDescriptor;
    this.#sink = openByteSink(fileDescriptor);
  }

  /** Lines that were not written because the reader was too slow or gone. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Whether the reader is gone, so that nothing will be written any more. */
  get isGone(): boolean {
    return this.#state === "gone";
  }

  /** @param text one or more whole lines, which are written or dropped together; octets are only lent for the call */
  write(text: string | Uint8Array, lines = 1): void {
    const bytes = typeof text === "string" ? Buffer.byteLength(text) : text.byteLength;
    if (this.#state === "gone" || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped += lines;
      return;
    }
    this.#wait(text, bytes);
    this.#waitingLines += lines;
    if (this.#state === "idle") this.#writeNext();
  }

  /** Calls `action` once everything that was given to `write` is written or never will be. */
  whenIdle(action: () => void): void {
    if (this.#state === "writing") this.#afterwards = action;
    else action();
  }

  /** The last act of a process: writes what waits, as far as the reader takes it at once, and lets go of the rest. */
  flush(): void {
    if (this.#state === "gone") return;
    try {
      if (this.#sink.isIdle()) writeSync(this.#fileDescriptor, this.#takeWaiting());
    } catch {
      // The reader is gone, or full: there is nobody left to tell.
    }
    if (!this.#sink.isIdle()) this.#sink.abandon();
  }

  #wait(text: string | Uint8Array, bytes: number): void {
    const end = this.#waitingBytes + bytes;
    if (end > this.#waiting.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(end, Math.min(2 * end, MAX_WAITING_BYTES)));
      this.#waiting.copy(larger, 0, 0, this.#waitingBytes);
      this.#waiting = larger;
    }
    if (typeof text === "string") this.#waiting.write(text, this.#waitingBytes);
    else this.#waiting.set(text, this.#waitingBytes);
    this.#waitingBytes = end;
  }

  #takeWaiting(): Buffer {
    const taken = this.#waiting.subarray(0, this.#waitingBytes);
    this.#waiting = this.#spare;
    this.#spare = Buffer.alloc(0);
    this.#waitingBytes = 0;
    this.#waitingLines = 0;
    return taken;
  }

  #writeNext(): void {
    this.#state = "writing";
    const whole = this.#waiting;
    this.#sink.write(this.#takeWaiting(), (error) => {
      if (whole.length <= SPARE_BYTES) this.#spare = whole;
      if (error !== null) this.#giveUp();
      else this.#state = "idle";
      if (this.#waitingBytes > 0) this.#writeNext();
      else this.#afterwards?.();
    });
  }

  #giveUp(): void {
    this.#state = "gone";
    this.#dropped += this.#waitingLines;
    this.#takeWaiting();
  }
}
