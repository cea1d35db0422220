/** What of a request's body has arrived while the plugins are not done: at most one read, or as much as a plugin asked for. */
export class HeldBody {
  readonly pieces: Buffer[] = [];
  bytes = 0;
  isComplete: boolean;
  /** Whether a plugin waits for all of it. */
  isGathered = false;
  /** More than this is refused. */
  maxBytes = Number.POSITIVE_INFINITY;

  constructor(isComplete: boolean) {
    this.isComplete = isComplete;
  }

  get isTooLarge(): boolean {
    return this.bytes > this.maxBytes;
  }

  /** Takes a copy, since octets are only lent. */
  add(buffer: Buffer, start: number, end: number): void {
    this.pieces.push(Buffer.from(buffer.subarray(start, end)));
    this.bytes += end - start;
  }

  whole(): Buffer {
    return this.pieces.length === 1 ? this.pieces[0]! : Buffer.concat(this.pieces);
  }
}
