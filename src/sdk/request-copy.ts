/** What became of a copy: it was answered, was not, had too long a body, or its request was not sent on as a whole. */
export type CopyFate = "answered" | "failed" | "too_large" | "not_sent";

/** A copy of a request for another upstream, whose answer nobody gets. */
export interface RequestCopy {
  /** The upstream that gets it, by its id. */
  readonly upstream: string;
  /** A request with a longer body is not copied. */
  readonly maxBodyBytes: number;
  /** For all of it. */
  readonly timeoutMs: number;
  /** Called once, whatever becomes of copy and request; perhaps when the request is over. Must not throw. */
  onOver(fate: CopyFate): void;
}

/** A copy that has yet to be over. */
export class PendingCopy {
  readonly copy: RequestCopy;
  /** Whether it goes on when its request is over. */
  isSent = false;
  #isOver = false;

  constructor(copy: RequestCopy) {
    this.copy = copy;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  over(fate: CopyFate): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.copy.onOver(fate);
  }
}
