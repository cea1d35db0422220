import { summarize } from "../statistics.ts";
import { documentOf, liveAt, startPair } from "./pair.ts";
import type { Finding, Setting } from "./trial.ts";

const LIMIT_MS = 150;

/** How long after it was asked for a commit at one control plane is live on a node of the other. */
export async function across(setting: Setting): Promise<Finding[]> {
  return [
    await measure(setting, "with NOTIFY arriving", ""),
    await measure(setting, "without NOTIFY, as behind a connection pooler", "listen: false"),
  ];
}

async function measure({ server, changes, signal }: Setting, how: string, postgres: string): Promise<Finding> {
  await using pair = await startPair({ server }, postgres);
  const node = await pair.cluster.addDataPlane("dp-1", { controlPlanes: [pair.two] });
  await liveAt(node, 1);
  const delaysMs: number[] = [];
  for (let version = 2; version < changes + 2; version++) {
    signal.throwIfAborted();
    const askedAt = Date.now();
    await pair.cluster.push(documentOf(`/v${version}`), "", pair.one);
    delaysMs.push((await liveAt(node, version)) - askedAt);
    // So that commits fall anywhere between two looks at the database.
    await new Promise((resolve) => setTimeout(resolve, Math.random() * 200));
  }
  const { median, min, max } = summarize(delaysMs);
  return {
    claim: `a commit on one is live on a node of the other within ${LIMIT_MS} ms (median), ${how}`,
    holds: median <= LIMIT_MS,
    measured: { changes, medianMs: median, minMs: min, maxMs: max },
  };
}
