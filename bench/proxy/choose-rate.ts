import { runFixedRate } from "../fixed-rate.ts";
import { runWrk } from "../wrk.ts";
import type { RunningProxy } from "./subject.ts";

/** How late a generator may be (p99) before what it measures is itself. */
export const MAX_LAG_MS = 0.5;
/** To about two fifths. A generator that is late even then is not so for the rate. */
const MAX_LOWERED = 3;
const TRIAL_SECONDS = 2;

/**
 * The rate for workloads that have a fixed one: half of what the slowest proxy does in a closed loop, so that each can
 * hold it with ease. It is lowered to what generator and origin can do on their core without a proxy, where the
 * generator would otherwise be later than half a millisecond and measure itself.
 */
export async function chooseRate(
  proxies: readonly RunningProxy[],
  origin: RunningProxy,
  { connections, seconds }: { readonly connections: number; readonly seconds: number },
  signal: AbortSignal,
): Promise<number> {
  const capacities: number[] = [];
  for (const { url } of proxies)
    capacities.push((await runWrk({ url: `${url}/`, connections, seconds }, signal)).requestsPerSecond);
  const capacity = Math.min(...capacities);
  let ratePerSecond = inHundreds(capacity / 2);
  console.log(`fixed rate: ${ratePerSecond} requests/s, half of ${capacity.toFixed(0)}`);
  for (let lowered = 0; ; lowered++) {
    const lagMs = await lagAlone(origin, { connections, ratePerSecond }, signal);
    if (lagMs <= MAX_LAG_MS) return ratePerSecond;
    const late = `without any proxy the generator is ${lagMs.toFixed(1)} ms late (p99)`;
    if (lowered === MAX_LOWERED) {
      console.log(`IN DOUBT: at ${ratePerSecond}/s ${late}; something else is running on this machine`);
      return ratePerSecond;
    }
    console.log(`LOWERED from ${ratePerSecond}/s: ${late}`);
    ratePerSecond = inHundreds(ratePerSecond * 0.75);
  }
}

/** Infinite when it cannot be held at all. */
async function lagAlone(
  { port }: RunningProxy,
  load: { readonly connections: number; readonly ratePerSecond: number },
  signal: AbortSignal,
): Promise<number> {
  const { lagP99Ms, failures } = await runFixedRate(
    { ...load, port, path: "/", seconds: TRIAL_SECONDS, warmUpSeconds: 1 },
    signal,
  );
  return Object.keys(failures).length === 0 ? lagP99Ms : Number.POSITIVE_INFINITY;
}

function inHundreds(rate: number): number {
  return Math.max(100, Math.floor(rate / 100) * 100);
}
