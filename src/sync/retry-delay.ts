/**
 * When to try again. A control plane waits with limits that double. A node waits any time up to a limit (full jitter), so that
 * a fleet that lost its control plane at one moment does not come back at one moment; its limit is as long as the control
 * plane has been away. That doubles too, and a node that drew short waits does not pay for its many attempts with a long one:
 * whenever the control plane returns, all are back within about the time for which it was away.
 */
const MAX_RETRY_MS = 60_000;
/** However long a control plane asks a node to stay away. */
export const MAX_COME_BACK_MS = MAX_RETRY_MS;
const FIRST_OFFER_RETRY_MS = 1_000;
/** A whole fleet's first attempts after a loss are spread over this long. */
const SPREAD_MS = 1_000;

/**
 * How long a node waits before its next attempt to connect.
 * @param random in [0, 1)
 */
export function reconnectDelayMs(
  { failures, addresses, retryIntervalMs, awayMs, askedMs = 0 }: ReconnectTerms,
  random: number,
): number {
  const roundIsOpen = failures % addresses !== 0;
  if (failures === 0 || roundIsOpen) return random * SPREAD_MS;
  if (askedMs > 0) return askedMs * (1 + random);
  return random * Math.min(MAX_RETRY_MS, Math.max(retryIntervalMs, awayMs));
}

interface ReconnectTerms {
  /** Attempts that failed since the last connection that lasted. */
  readonly failures: number;
  /** How many control planes there are: they are tried in turn, and the long wait is after each whole round. */
  readonly addresses: number;
  readonly retryIntervalMs: number;
  /** Since the last connection that lasted ended. */
  readonly awayMs: number;
  /** For how long it was asked to stay away: kept to, and up to as much again added, so that those who were asked the same spread. */
  readonly askedMs?: number;
}

/** How long a control plane waits before it offers a refused configuration again. `refusals` is at least 1. */
export function offerDelayMs(refusals: number): number {
  return doubled(FIRST_OFFER_RETRY_MS, refusals - 1);
}

function doubled(firstMs: number, times: number): number {
  return Math.min(MAX_RETRY_MS, firstMs * 2 ** Math.min(times, 30));
}
