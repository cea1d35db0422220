import { write, writeSync } from "node:fs";

/** More than this waiting for a reader that does not read is dropped. */
const MAX_WAITING_BYTES = 4 * 1024 * 1024;
/** How often a flush tries again when the reader is slow. */
const MAX_FLUSH_ATTEMPTS = 50;
const RETRY_DELAY_MS = 20;

/**
 * Writes lines to a file descriptor without ever blocking the event loop or failing: one write is in flight at a time, what
 * comes meanwhile waits in a bounded buffer, and a reader that is too slow or gone costs lines and nothing else.
 */
export class LineOutput {
  readonly #fileDescriptor: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #inFlight: Buffer | undefined;
  #state: "open" | "gone" = "open";
  #dropped = 0;

  constructor(fileDescriptor: number) {
    this.#fileDescriptor = fileDescriptor;
  }

  /** Lines that were not written because the reader was too slow or gone. */
  get dropped(): number {
    return this.#dropped;
  }

  write(line: string): void {
    const bytes = Buffer.byteLength(line);
    if (this.#state === "gone" || this.#waitingBytes + bytes > MAX_WAITING_BYTES) {
      this.#dropped += 1;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += bytes;
    if (this.#inFlight === undefined) this.#writeNext();
  }

  /** Writes what waits before the process ends; gives up after a second when nobody reads. */
  flush(): void {
    let rest = this.#takeWaiting();
    for (let attempt = 0; rest.length > 0 && attempt < MAX_FLUSH_ATTEMPTS; attempt++) {
      try {
        rest = rest.subarray(writeSync(this.#fileDescriptor, rest));
      } catch (error) {
        if (!isBusy(error)) return;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, RETRY_DELAY_MS);
      }
    }
  }

  #takeWaiting(): Buffer {
    const taken = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingBytes = 0;
    return taken;
  }

  #writeNext(): void {
    this.#writeRest(this.#takeWaiting());
  }

  #writeRest(rest: Buffer): void {
    this.#inFlight = rest;
    write(this.#fileDescriptor, rest, (error, written) => {
      if (error !== null && !isBusy(error)) return this.#giveUp();
      if (error !== null) return void setTimeout(() => this.#writeRest(rest), RETRY_DELAY_MS).unref();
      if (written < rest.length) return this.#writeRest(rest.subarray(written));
      this.#inFlight = undefined;
      if (this.#waiting.length > 0) this.#writeNext();
    });
  }

  #giveUp(): void {
    this.#state = "gone";
    this.#inFlight = undefined;
    this.#dropped += this.#waiting.length;
    this.#takeWaiting();
  }
}

/** The descriptor does not block and its reader is behind. */
function isBusy(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "EAGAIN";
}
