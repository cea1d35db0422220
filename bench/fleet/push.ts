import { quantile } from "../statistics.ts";
import { waitUntil } from "../wait-until.ts";
import { sharedClockMs } from "./arrivals.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { NodeFleet } from "./node-fleet.ts";

const TIMEOUT_MS = 60_000;

/** One changed route on its way to every node. All times in milliseconds. */
export interface Push {
  readonly version: number;
  /** From just before the request was sent: checking, compiling, storing. */
  readonly requestToCommitMs: number;
  /** From sending it out until half of the nodes, 99 of 100 and all had acknowledged it, as the control plane measured it. */
  readonly ackMedianMs: number;
  readonly ackP99Ms: number;
  readonly ackLastMs: number;
  /** Until the first, the middle, 99 of 100 and the last of the nodes had verified and applied it, by their own clock. */
  readonly commitToFirstMs: number;
  readonly commitToMedianMs: number;
  readonly commitToP99Ms: number;
  readonly commitToLastMs: number;
  /** On the wire, both directions, TLS included, what a node was sent and what it answered. */
  readonly bytesPerNode: number;
  /** CPU that all nodes together used: they share one core here, as no real fleet does. */
  readonly nodesCpuMs: number;
}

export async function measurePush(
  controlPlane: ControlPlane,
  nodes: NodeFleet,
  revision: number,
  signal: AbortSignal,
): Promise<Push> {
  const before = await nodes.standing();
  const sentMs = sharedClockMs();
  const { committedMs, ...answer } = await controlPlane.change(revision);
  const { version } = answer;
  const isEverywhere = async () => (await nodes.arrivals(version)).length === nodes.count;
  await waitUntil(`version ${version} to be applied by all nodes`, isEverywhere, { timeoutMs: TIMEOUT_MS, signal });
  const after = await nodes.standing();
  const delaysMs = (await nodes.arrivals(version)).map((arrivedMs) => arrivedMs - committedMs);
  return {
    ...answer,
    requestToCommitMs: committedMs - sentMs,
    commitToFirstMs: quantile(delaysMs, 0),
    commitToMedianMs: quantile(delaysMs, 0.5),
    commitToP99Ms: quantile(delaysMs, 0.99),
    commitToLastMs: quantile(delaysMs, 1),
    bytesPerNode: (after.bytes - before.bytes) / nodes.count,
    nodesCpuMs: after.cpuMs - before.cpuMs,
  };
}
