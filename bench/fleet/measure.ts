import { fork } from "node:child_process";
import { once } from "node:events";
import { TRANSPORTS, type Transport } from "../../src/sync/connection.ts";
import { PostgresServer } from "../../test/support/postgres-server.ts";
import { readProductVersion } from "../product-version.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { waitUntil } from "../wait-until.ts";
import { type Certificates, createCertificates } from "./certificates.ts";
import { ControlPlane } from "./control-plane.ts";
import { renderDocument } from "./document.ts";
import { NodeFleet } from "./node-fleet.ts";
import { measurePush, type Push } from "./push.ts";
import type { Network } from "./relay.ts";
import { measureCut, measureRestart, measureTakeover, type RestartStorm, type Storm } from "./storm.ts";

const JOIN_TIMEOUT_MS = 180_000;
/** Where connections are cut all the time, someone is always away. */
const STEADY_SHARE = 0.98;
/** Until the control plane's code has been compiled by the engine, which costs more than what is measured. */
const WARM_UP_PUSHES = 15;

export interface FleetSetting {
  readonly nodes: number;
  readonly routes: number;
  readonly pushes: number;
  readonly transport: Transport | "mixed";
  /** More than one share a PostgreSQL. */
  readonly controlPlanes: number;
  /** Of simulated nodes. */
  readonly processes: number;
  /** Undefined: nodes connect directly. */
  readonly network: Network | undefined;
}

/** What a fleet with configurations of one size showed. CPU and memory are those of all control planes together. */
export interface FleetMeasurement {
  readonly setting: FleetSetting;
  /** From starting all nodes at once, which have nothing, until all were in sync. */
  readonly joinMs: number;
  readonly idleBytes: number;
  /** Growth of resident memory with the nodes, divided by them; garbage is in it, so it is rough for few nodes. */
  readonly bytesPerNode: number;
  /** Of a change that nobody is there to receive: checking, compiling, storing. */
  readonly cpuMsPerPushAlone: number;
  readonly cpuMsPerPush: number;
  /** What a change costs more for each node that receives it. */
  readonly cpuMicrosPerNodePerPush: number;
  readonly pushes: readonly Push[];
  readonly cut: Storm;
  /** With one control plane. */
  readonly restart?: RestartStorm;
  /** With several: the nodes of one that dies go to the others. */
  readonly takeover?: Storm;
}

export async function measureFleet(setting: FleetSetting, signal: AbortSignal): Promise<FleetMeasurement> {
  const startMs = performance.now();
  const say = (what: string) =>
    console.log(`${((performance.now() - startMs) / 1_000).toFixed(0).padStart(5)} s  ${what}`);
  say(`certificates for ${setting.nodes} nodes`);
  await using things = new AsyncDisposableStack();
  const folder = things.use(await TemporaryFolder.create());
  const certificates = await createCertificates(folder.path, setting.nodes);
  let revision = 0;
  const store = setting.controlPlanes > 1 ? await things.use(await PostgresServer.start()).newDatabase() : undefined;
  const controlPlanes: ControlPlane[] = [];
  for (let number = 1; number <= setting.controlPlanes; number++) {
    const options = { folder: folder.path, certificates, document: renderDocument(setting.routes, revision), store };
    const controlPlane = things.use(await ControlPlane.create({ name: `cp-${number}`, ...options, signal }));
    await controlPlane.start();
    controlPlanes.push(controlPlane);
  }
  const first = controlPlanes[0]!;
  say("changes without nodes");
  const usage = () => sumUsage(controlPlanes);
  const pushAlone = () => first.change(++revision);
  await cpuMsOfEach(WARM_UP_PUSHES, usage, pushAlone);
  const cpuMsPerPushAlone = await cpuMsOfEach(setting.pushes, usage, pushAlone);

  const idleBytes = usage().rssBytes;
  const addresses = await Promise.all(controlPlanes.map(({ address }) => reach(address, setting.network, things)));
  const nodes = things.use(await createNodes(setting, certificates, addresses));
  say("nodes join");
  const joinMs = await join(nodes, first, signal);
  const bytesPerNode = (usage().rssBytes - idleBytes) / nodes.count;

  say("changes");
  const pushes: Push[] = [];
  const push = async () => void pushes.push(await measurePush(first, nodes, ++revision, signal));
  const cpuMsPerPush = await cpuMsOfEach(setting.pushes, usage, push);
  const cpuMicrosPerNodePerPush = ((cpuMsPerPush - cpuMsPerPushAlone) * 1_000) / nodes.count;
  const cost = { joinMs, idleBytes, bytesPerNode, cpuMsPerPushAlone, cpuMsPerPush, cpuMicrosPerNodePerPush };
  say("every connection is cut");
  const cut = await measureCut(first, nodes, ++revision, signal);
  say("the control plane dies");
  if (controlPlanes.length > 1)
    return { setting, ...cost, pushes, cut, takeover: await measureTakeover(first, controlPlanes[1]!, nodes, signal) };
  return { setting, ...cost, pushes, cut, restart: await measureRestart(first, nodes, signal) };
}

function sumUsage(controlPlanes: readonly ControlPlane[]) {
  const all = controlPlanes.map((controlPlane) => controlPlane.usage());
  return {
    cpuMs: all.reduce((sum, { cpuMs }) => sum + cpuMs, 0),
    rssBytes: all.reduce((sum, { rssBytes }) => sum + rssBytes, 0),
  };
}

/** Over all of them, since CPU time comes in steps of 10 ms. */
async function cpuMsOfEach(
  times: number,
  usage: () => { readonly cpuMs: number },
  action: () => Promise<unknown>,
): Promise<number> {
  const before = usage().cpuMs;
  for (let time = 0; time < times; time++) await action();
  return (usage().cpuMs - before) / times;
}

/** The address at which nodes reach a control plane: its own, or that of a bad network before it. */
async function reach(address: string, network: Network | undefined, things: AsyncDisposableStack): Promise<string> {
  if (network === undefined) return address;
  const relay = fork(new URL("relay-process.ts", import.meta.url), [address, JSON.stringify(network)]);
  things.defer(() => relay.disconnect());
  const [port] = (await once(relay, "message")) as [number];
  return `127.0.0.1:${port}`;
}

async function createNodes(
  { transport, processes, network }: FleetSetting,
  { nodes, caFile }: Certificates,
  addresses: readonly string[],
): Promise<NodeFleet> {
  const transportOf = (index: number) => (transport === "mixed" ? TRANSPORTS[index % TRANSPORTS.length]! : transport);
  const options = nodes.map((certificate, index) => ({ certificate, transport: transportOf(index), addresses }));
  const steadyShare = (network?.cutsPerMinute ?? 0) > 0 ? STEADY_SHARE : 1;
  return new NodeFleet({ nodes: options, caFile, version: await readProductVersion() }, processes, steadyShare);
}

async function join(nodes: NodeFleet, controlPlane: ControlPlane, signal: AbortSignal): Promise<number> {
  const startMs = performance.now();
  const version = await controlPlane.version();
  await nodes.start();
  try {
    await waitUntil("all nodes to join", () => nodes.areAllAt(version), { timeoutMs: JOIN_TIMEOUT_MS, signal });
  } catch (cause) {
    const { failures } = await nodes.standing();
    throw new Error(`nodes did not join: ${JSON.stringify([...failures].slice(0, 5))}`, { cause });
  }
  return performance.now() - startMs;
}
