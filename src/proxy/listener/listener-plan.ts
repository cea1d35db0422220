import type { Problem } from "../../config/problem.ts";
import type { Listener } from "../../config/resources/listener.ts";
import { parseAddress } from "../../config/resources/scalars.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import type { PlannedListener } from "../worker/worker-protocol.ts";
import { ConnectionCount } from "./connection-count.ts";
import { explainListenError } from "./listen-error.ts";
import { PortClaim } from "./port-claim.ts";

/**
 * Gives every listener its sockets: those that are there, where the address is one of `current`, otherwise new ones on an address
 * that is free. Claims are given back before it returns.
 * @throws ConfigurationRefused naming every address that cannot be had.
 */
export async function planListeners(
  listeners: readonly Listener[],
  current: readonly PlannedListener[],
  workers: number,
): Promise<PlannedListener[]> {
  const claim = new PortClaim();
  const problems: Problem[] = [];
  const planned: PlannedListener[] = [];
  try {
    for (const [index, listener] of listeners.entries()) {
      try {
        planned.push(await planListener(listener, current, workers, claim));
      } catch (error) {
        problems.push(explainListenError(listener, index, error));
      }
    }
  } finally {
    await claim.release();
  }
  if (problems.length > 0) throw new ConfigurationRefused(problems);
  return planned;
}

async function planListener(
  listener: Listener,
  current: readonly PlannedListener[],
  workers: number,
  claim: PortClaim,
): Promise<PlannedListener> {
  const { host, port = 0 } = parseAddress(listener.address) ?? { host: undefined };
  // Where the system chooses the port, two listeners of one address are two; otherwise the address says it all.
  const key = port === 0 ? `${listener.id}@${listener.address}` : listener.address;
  const same = current.find((other) => other.key === key);
  if (same !== undefined) return { ...same, listener };
  const counts = ConnectionCount.memoryFor(workers);
  // `:8080` after `127.0.0.1:8080`: the port is ours already, so a claim would find it taken by ourselves.
  if (port !== 0 && current.some((other) => other.port === port)) return { listener, key, host, port, counts };
  return { listener, key, host, port: await claim.claim(host, port), counts };
}

/** The address with the port that it really has. */
export function actualAddress({ listener, port }: PlannedListener): string {
  return listener.address.replace(/\d+$/, String(port));
}
