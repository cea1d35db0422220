import { rm } from "node:fs/promises";
import { join } from "node:path";
import { renderDocument } from "../../src/config/render-document.ts";
import { inCanonicalOrder } from "../../src/config/resource.ts";
import { Cluster } from "../../test/support/cluster.ts";
import { freePort } from "../../test/support/free-port.ts";
import { ask } from "../ask.ts";
import { waitUntil } from "../wait-until.ts";
import { pathOf, tableState } from "./table-state.ts";

/** From the start of a node's process to the first answer of its last route, in milliseconds. */
export interface NodeStarts {
  readonly routes: number;
  /** That knows nothing and is given everything by a control plane. */
  readonly newNodeMs: number[];
  /** With what is on its disk, the control plane gone. */
  readonly fromDiskMs: number[];
}

const TIMEOUT_MS = 60_000;

/** The cores are shared with the control plane and this process. */
export async function measureStarts(
  routes: number,
  rounds: number,
  originPort: number,
  signal: AbortSignal,
): Promise<NodeStarts> {
  const resources = tableState(routes, originPort, 1).filter(({ kind }) => kind !== "listener");
  await using cluster = await Cluster.start(renderDocument(inCanonicalOrder(resources)));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}${pathOf(routes - 1)}`;
  const serves = async (startedMs: number) => {
    const isServed = async () => (await ask(url, { signal })).status === 200;
    await waitUntil("the node serves", isServed, { timeoutMs: TIMEOUT_MS, signal });
    return performance.now() - startedMs;
  };
  const measured: NodeStarts = { routes, newNodeMs: [], fromDiskMs: [] };
  const listeners = `listeners: [{ id: http, address: "127.0.0.1:${port}" }]\n`;
  let startedMs = performance.now();
  let started = cluster.addDataPlane("dp-1", { listeners });
  for (let round = 0; ; ) {
    measured.newNodeMs.push(await serves(startedMs));
    const node = await started;
    await node.process.end();
    if (++round >= rounds) break;
    await rm(join(cluster.directory, "dp-1-cache"), { recursive: true });
    startedMs = performance.now();
    started = node.restart().then(() => node);
  }
  await cluster.controlPlane.process.end("SIGKILL");
  const node = await started;
  for (let round = 0; round < rounds; round++) {
    startedMs = performance.now();
    const isUp = node.restart();
    measured.fromDiskMs.push(await serves(startedMs));
    await isUp;
    await node.process.end("SIGKILL");
  }
  return measured;
}
