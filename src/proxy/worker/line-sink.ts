/** Takes the lines of the access log. Never blocks: what it cannot take it drops and counts. */
export interface LineSink {
  /** `octets` are `lines` whole lines, and only lent for the call. */
  write(octets: Uint8Array, lines: number): void;
  /** Lines dropped so far. */
  readonly dropped: number;
}
