/**
 * When to try again. Both sides wait with limits that double, and a node adds full jitter (any time between zero and the
 * limit), so that a fleet that lost its control plane at one moment does not come back at one moment.
 */
const MAX_RETRY_MS = 60_000;
const FIRST_OFFER_RETRY_MS = 1_000;
/** A whole fleet's first attempts after a loss are spread over this long. */
const SPREAD_MS = 1_000;

/**
 * How long a node waits before its next attempt to connect.
 * @param failures attempts that failed since the last connection that lasted
 * @param addresses how many control planes there are: they are tried in turn, and the limit grows with each whole round
 * @param random in [0, 1)
 */
export function reconnectDelayMs(failures: number, addresses: number, retryIntervalMs: number, random: number): number {
  const roundIsOpen = failures % addresses !== 0;
  if (failures === 0 || roundIsOpen) return random * SPREAD_MS;
  return random * doubled(retryIntervalMs, failures / addresses - 1);
}

/** How long a control plane waits before it offers a refused configuration again. `refusals` is at least 1. */
export function offerDelayMs(refusals: number): number {
  return doubled(FIRST_OFFER_RETRY_MS, refusals - 1);
}

function doubled(firstMs: number, times: number): number {
  return Math.min(MAX_RETRY_MS, firstMs * 2 ** Math.min(times, 30));
}
