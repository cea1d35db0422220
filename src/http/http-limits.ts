import type { Lifetime, LifetimeLimits } from "./lifetime.ts";
import type { OctetBuffers } from "./octet-buffers.ts";
import type { Sweep } from "./sweep.ts";

/** What a client may use up before it is answered 408, 414 or 431, or is dropped. A time of 0 means no limit. */
export interface HttpLimits extends LifetimeLimits {
  /** From the first octet of a head to its last; then 408. */
  readonly headTimeoutMs: number;
  /** Between two pieces of a body; then 408. */
  readonly bodyTimeoutMs: number;
  /** From the head to the end of the body; then 408. */
  readonly wholeBodyTimeoutMs: number;
  /** How long a client may read nothing of what waits for it; then it is dropped. */
  readonly writeTimeoutMs: number;
  /** Between two requests; then the connection is closed. */
  readonly idleTimeoutMs: number;
  readonly maxHeadBytes: number;
  readonly maxFields: number;
  /** Requests that a client may send at a time on one connection of HTTP/2; 0 where it is not spoken. */
  readonly maxConcurrentStreams: number;
}

/** What a connection of a client needs, of whatever version of HTTP. */
export interface ConnectionOptions {
  readonly limits: HttpLimits;
  readonly lifetime: Lifetime;
  readonly sweep: Sweep;
  readonly buffers: OctetBuffers;
}
