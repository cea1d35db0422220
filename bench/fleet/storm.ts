import { setTimeout as delay } from "node:timers/promises";
import { LASTING_MS } from "../../src/sync/node-session.ts";
import { waitUntil } from "../wait-until.ts";
import { type AdminLatency, AdminProbe } from "./admin-probe.ts";
import type { ControlPlane } from "./control-plane.ts";
import type { NodeFleet } from "./node-fleet.ts";
import type { NodesStanding } from "./simulated-nodes.ts";

const TIMEOUT_MS = 180_000;
/** Until connections have lasted: a node that loses one sooner counts that as a failed attempt, and waits longer. */
const REST_MS = LASTING_MS + 1_000;

/** Every node loses its control plane at one moment, and comes back. All times in milliseconds. */
export interface Storm {
  /** Until half of the nodes, and until all of them, were connected with the newest version. */
  readonly halfInSyncMs: number;
  readonly allInSyncMs: number;
  /** Chunks and deltas that all nodes together were sent. */
  readonly configurationMessages: number;
  readonly bytesPerNode: number;
  /** Of the admin API meanwhile. */
  readonly admin: AdminLatency;
  /** Of all nodes, on the one core that they share. */
  readonly nodesCpuMs: number;
  /** Of the control plane, its own start included where it was started. */
  readonly controlPlaneCpuMs: number;
}

export interface RestartStorm extends Storm {
  /** From starting the control plane again until it said that it is ready; the other times count from there. */
  readonly startToReadyMs: number;
  readonly bytesPerNodeOfMemory: number;
}

/** The network breaks every connection; while nodes come back one route is changed, so each has to be sent that. */
export async function measureCut(
  controlPlane: ControlPlane,
  nodes: NodeFleet,
  revision: number,
  signal: AbortSignal,
): Promise<Storm> {
  await delay(REST_MS, undefined, { signal });
  const cpuBefore = controlPlane.usage().cpuMs;
  await nodes.cut();
  const before = await nodes.standing();
  const measured = measureReturn(controlPlane, nodes, before, signal);
  await controlPlane.change(revision);
  return { ...(await measured), controlPlaneCpuMs: controlPlane.usage().cpuMs - cpuBefore };
}

/** The control plane dies and is started again. Nodes have what it has, so nothing is to be sent. */
export async function measureRestart(
  controlPlane: ControlPlane,
  nodes: NodeFleet,
  signal: AbortSignal,
): Promise<RestartStorm> {
  await delay(REST_MS, undefined, { signal });
  await controlPlane.kill();
  const allNoticed = async () => (await nodes.standing()).connected === 0;
  await waitUntil("all nodes to notice", allNoticed, { timeoutMs: TIMEOUT_MS, signal });
  const before = await nodes.standing();
  const startMs = performance.now();
  await controlPlane.start();
  const startToReadyMs = performance.now() - startMs;
  const readyBytes = controlPlane.usage().rssBytes;
  const storm = await measureReturn(controlPlane, nodes, before, signal);
  const { cpuMs, rssBytes } = controlPlane.usage();
  const bytesPerNodeOfMemory = (rssBytes - readyBytes) / nodes.count;
  return { startToReadyMs, ...storm, bytesPerNodeOfMemory, controlPlaneCpuMs: cpuMs };
}

/** One of several control planes dies, and its nodes find the others, which have what they run. */
export async function measureTakeover(
  dying: ControlPlane,
  other: ControlPlane,
  nodes: NodeFleet,
  signal: AbortSignal,
): Promise<Storm> {
  await delay(REST_MS, undefined, { signal });
  const before = await nodes.standing();
  const cpuBefore = other.usage().cpuMs;
  await dying.kill();
  const someNoticed = async () => (await nodes.standing()).connected < nodes.count;
  await waitUntil("its nodes to notice", someNoticed, { timeoutMs: TIMEOUT_MS, signal });
  const storm = await measureReturn(other, nodes, before, signal);
  return { ...storm, controlPlaneCpuMs: other.usage().cpuMs - cpuBefore };
}

async function measureReturn(
  controlPlane: ControlPlane,
  nodes: NodeFleet,
  before: NodesStanding,
  signal: AbortSignal,
): Promise<Omit<Storm, "controlPlaneCpuMs">> {
  const startMs = performance.now();
  const probe = new AdminProbe(controlPlane);
  let halfInSyncMs: number | undefined;
  const allInSync = async () => {
    const version = await controlPlane.version();
    const level = (await nodes.standing()).byVersion.get(version) ?? 0;
    if (level >= nodes.count / 2) halfInSyncMs ??= performance.now() - startMs;
    return nodes.areAllAt(version);
  };
  await waitUntil("all nodes to be in sync again", allInSync, { timeoutMs: TIMEOUT_MS, signal });
  const allInSyncMs = performance.now() - startMs;
  const admin = await probe.finish();
  const after = await nodes.standing();
  return {
    halfInSyncMs: halfInSyncMs ?? allInSyncMs,
    allInSyncMs,
    configurationMessages: after.configurationMessages - before.configurationMessages,
    bytesPerNode: (after.bytes - before.bytes) / nodes.count,
    admin,
    nodesCpuMs: after.cpuMs - before.cpuMs,
  };
}
