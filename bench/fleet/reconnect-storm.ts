import { waitUntil } from "../wait-until.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { Nodes } from "./nodes.ts";

const TIMEOUT_MS = 180_000;

/** Every node loses its control plane at once and gets it back. All times in milliseconds. */
export interface ReconnectStorm {
  /** From starting the control plane again until its admin API answered. */
  readonly startToReadyMs: number;
  /** Until every node was connected and shown as in sync. Nodes wait between attempts, at first up to a retry interval. */
  readonly startToAllInSyncMs: number;
  /** The slowest answer of the admin API while nodes were coming. */
  readonly slowestAnswerMs: number;
  /** CPU of the control plane from its start until all were in sync, its own start included. */
  readonly controlPlaneCpuMs: number;
}

export async function measureReconnectStorm(
  controlPlane: ControlPlane,
  nodes: Nodes,
  signal: AbortSignal,
): Promise<ReconnectStorm> {
  await controlPlane.kill();
  const everyNode = (connected: number) => () => nodes.connected() === connected;
  await waitUntil("all nodes to notice", everyNode(0), { timeoutMs: TIMEOUT_MS, signal });
  const startMs = performance.now();
  await controlPlane.start();
  const readyMs = performance.now();
  let slowestAnswerMs = 0;
  const allInSync = async () => {
    slowestAnswerMs = Math.max(slowestAnswerMs, await controlPlane.answerMs());
    return nodes.connected() === nodes.count && (await controlPlane.nodesInSync()) === nodes.count;
  };
  await waitUntil("all nodes to be in sync again", allInSync, { timeoutMs: TIMEOUT_MS, signal });
  return {
    startToReadyMs: readyMs - startMs,
    startToAllInSyncMs: performance.now() - startMs,
    slowestAnswerMs,
    controlPlaneCpuMs: controlPlane.usage().cpuMs,
  };
}
