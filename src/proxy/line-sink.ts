/** Takes the lines of the access log. Never blocks: what it cannot take it drops and counts. */
export interface LineSink {
  /** `text` is `lines` whole lines. */
  write(text: string, lines: number): void;
  /** Lines dropped so far. */
  readonly dropped: number;
}
