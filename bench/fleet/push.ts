import { quantile } from "../statistics.ts";
import { waitUntil } from "../wait-until.ts";
import { sharedClockMs } from "./arrivals.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Nodes } from "./nodes.ts";

const TIMEOUT_MS = 60_000;

/** One small change on its way to every node. All times in milliseconds. */
export interface Push {
  readonly version: number;
  /** From just before the request was sent: parsing, validating, storing. */
  readonly requestToCommitMs: number;
  /** Until the first, the middle, 99 of 100 and the last of the nodes had verified and applied it. */
  readonly commitToFirstMs: number;
  readonly commitToMedianMs: number;
  readonly commitToP99Ms: number;
  readonly commitToLastMs: number;
  /** From sending it out to the last acknowledgement, as the control plane measured it. */
  readonly slowestAckMs: number;
  /** CPU that all nodes together used: they share one core here, as no real fleet does. */
  readonly nodesCpuMs: number;
}

export async function measurePush(
  controlPlane: ControlPlane,
  nodes: Nodes,
  document: string,
  signal: AbortSignal,
): Promise<Push> {
  const cpuBefore = process.cpuUsage();
  const sentMs = sharedClockMs();
  const { version, committedMs, slowestAckMs } = await controlPlane.push(document);
  const arrivedAtAll = () => nodes.arrivals.of(version).length === nodes.count;
  await waitUntil(`version ${version} to be applied by all nodes`, arrivedAtAll, { timeoutMs: TIMEOUT_MS, signal });
  const { user, system } = process.cpuUsage(cpuBefore);
  const delaysMs = nodes.arrivals.of(version).map((arrivedMs) => arrivedMs - committedMs);
  return {
    version,
    requestToCommitMs: committedMs - sentMs,
    commitToFirstMs: quantile(delaysMs, 0),
    commitToMedianMs: quantile(delaysMs, 0.5),
    commitToP99Ms: quantile(delaysMs, 0.99),
    commitToLastMs: quantile(delaysMs, 1),
    slowestAckMs,
    nodesCpuMs: (user + system) / 1_000,
  };
}
