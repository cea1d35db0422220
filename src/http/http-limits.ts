/** What a client may use up before it is answered 408, 414 or 431, or is dropped. A time of 0 means no limit. */
export interface HttpLimits {
  /** From the first octet of a head to its last; then 408. */
  readonly headTimeoutMs: number;
  /** Between two pieces of a body; then 408. */
  readonly bodyTimeoutMs: number;
  /** How long a client may read nothing of what waits for it; then it is dropped. */
  readonly writeTimeoutMs: number;
  /** Between two requests; then the connection is closed. */
  readonly idleTimeoutMs: number;
  readonly maxHeadBytes: number;
  /** Requests that a client may send at a time on one connection of HTTP/2; 0 where it is not spoken. */
  readonly maxConcurrentStreams: number;
}
