import { readProductVersion } from "../product-version.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { waitUntil } from "../wait-until.ts";
import { createCertificates } from "./certificates.ts";
import { ControlPlane } from "./control-plane.ts";
import { renderDocument } from "./document.ts";
import { Nodes } from "./nodes.ts";
import { measurePush, type Push } from "./push.ts";
import { measureReconnectStorm, type ReconnectStorm } from "./reconnect-storm.ts";

const JOIN_TIMEOUT_MS = 180_000;
/** Until the control plane's code has been compiled by the engine, which costs more than what is measured. */
const WARM_UP_PUSHES = 15;

export interface FleetSetting {
  readonly nodes: number;
  readonly routes: number;
  readonly pushes: number;
}

/** What a fleet with configurations of one size showed. CPU and memory are the control plane's. */
export interface FleetMeasurement {
  readonly nodes: number;
  readonly routes: number;
  /** From starting all nodes at once until all were connected and in sync. */
  readonly joinMs: number;
  readonly idleBytes: number;
  /** Growth of resident memory with the nodes, divided by them; garbage is in it, so it is rough for few nodes. */
  readonly bytesPerNode: number;
  /** Of a push that nobody is there to receive: parsing, validating, storing. */
  readonly cpuMsPerPushAlone: number;
  readonly cpuMsPerPush: number;
  /** What a push costs more for each node that receives it. */
  readonly cpuMicrosPerNodePerPush: number;
  readonly pushes: readonly Push[];
  readonly reconnectStorm: ReconnectStorm;
}

export async function measureFleet(setting: FleetSetting, signal: AbortSignal): Promise<FleetMeasurement> {
  await using folder = await TemporaryFolder.create();
  const certificates = await createCertificates(folder.path, setting.nodes);
  let revision = 0;
  const nextDocument = () => renderDocument(setting.routes, revision++);
  const options = { folder: folder.path, certificates, document: nextDocument(), signal };
  await using controlPlane = await ControlPlane.create(options);
  await controlPlane.start();
  const pushAlone = async () => void (await controlPlane.push(nextDocument()));
  await cpuMsOfEach(WARM_UP_PUSHES, controlPlane, pushAlone);
  const cpuMsPerPushAlone = await cpuMsOfEach(setting.pushes, controlPlane, pushAlone);

  const idleBytes = controlPlane.usage().rssBytes;
  await using nodes = new Nodes({ address: controlPlane.address, certificates, version: await readProductVersion() });
  const joinMs = await join(nodes, controlPlane, signal);
  const bytesPerNode = (controlPlane.usage().rssBytes - idleBytes) / nodes.count;

  const pushes: Push[] = [];
  const cpuMsPerPush = await cpuMsOfEach(setting.pushes, controlPlane, async () => {
    pushes.push(await measurePush(controlPlane, nodes, nextDocument(), signal));
  });
  const cpuMicrosPerNodePerPush = ((cpuMsPerPush - cpuMsPerPushAlone) * 1_000) / nodes.count;
  const cost = { joinMs, idleBytes, bytesPerNode, cpuMsPerPushAlone, cpuMsPerPush, cpuMicrosPerNodePerPush };
  const reconnectStorm = await measureReconnectStorm(controlPlane, nodes, signal);
  return { nodes: nodes.count, routes: setting.routes, ...cost, pushes, reconnectStorm };
}

/** Over all of them, since CPU time comes in steps of 10 ms. */
async function cpuMsOfEach(times: number, controlPlane: ControlPlane, action: () => Promise<void>): Promise<number> {
  const before = controlPlane.usage().cpuMs;
  for (let time = 0; time < times; time++) await action();
  return (controlPlane.usage().cpuMs - before) / times;
}

async function join(nodes: Nodes, controlPlane: ControlPlane, signal: AbortSignal): Promise<number> {
  const startMs = performance.now();
  await nodes.start();
  const allInSync = async () =>
    nodes.connectedSinceMs().length === nodes.count && (await controlPlane.nodesInSync()) === nodes.count;
  await waitUntil("all nodes to join", allInSync, { timeoutMs: JOIN_TIMEOUT_MS, signal });
  return performance.now() - startMs;
}
