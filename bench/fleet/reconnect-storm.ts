import { LASTING_MS } from "../../src/sync/node-session.ts";
import { quantile } from "../statistics.ts";
import { waitUntil } from "../wait-until.ts";
import { sharedClockMs } from "./arrivals.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Nodes } from "./nodes.ts";

const TIMEOUT_MS = 180_000;

/** Every node loses its control plane at once and gets it back. All times in milliseconds. */
export interface ReconnectStorm {
  /** From starting the control plane again until it said that it is ready. */
  readonly startToReadyMs: number;
  /** Until half of the nodes were connected. */
  readonly startToHalfConnectedMs: number;
  /**
   * Until every node was connected and shown as in sync. First attempts are spread over a second; those that come before
   * the control plane is back fail, and such a node waits up to a retry interval (5 s), then up to two, and so on.
   */
  readonly startToAllInSyncMs: number;
  /** The slowest answer of the admin API while nodes were coming, as this process, busy with them, noticed it. */
  readonly slowestAnswerMs: number;
  /** CPU of the control plane from its start until all were in sync, its own start included. */
  readonly controlPlaneCpuMs: number;
}

export async function measureReconnectStorm(
  controlPlane: ControlPlane,
  nodes: Nodes,
  signal: AbortSignal,
): Promise<ReconnectStorm> {
  const limits = { timeoutMs: TIMEOUT_MS, signal };
  await waitUntil("all connections to have lasted", () => haveLasted(nodes), limits);
  await controlPlane.kill();
  await waitUntil("all nodes to notice", () => nodes.connectedSinceMs().length === 0, limits);
  const startMs = sharedClockMs();
  await controlPlane.start();
  const readyMs = sharedClockMs();
  let slowestAnswerMs = 0;
  const allInSync = async () => {
    slowestAnswerMs = Math.max(slowestAnswerMs, await controlPlane.answerMs());
    return nodes.connectedSinceMs().length === nodes.count && (await controlPlane.nodesInSync()) === nodes.count;
  };
  await waitUntil("all nodes to be in sync again", allInSync, limits);
  const inSyncMs = sharedClockMs();
  return {
    startToReadyMs: readyMs - startMs,
    startToHalfConnectedMs: quantile(nodes.connectedSinceMs(), 0.5) - startMs,
    startToAllInSyncMs: inSyncMs - startMs,
    slowestAnswerMs,
    controlPlaneCpuMs: controlPlane.usage().cpuMs,
  };
}

/** A node that loses a connection soon after it had it counts that as a failed attempt, and waits longer. */
function haveLasted(nodes: Nodes): boolean {
  const times = nodes.connectedSinceMs();
  return times.length === nodes.count && sharedClockMs() - Math.max(...times) >= LASTING_MS;
}
