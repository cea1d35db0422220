import { writeConcurrently } from "../../test/support/concurrent-writers.ts";
import { neverWentBack } from "../../test/support/versions-gone-live.ts";
import { documentOf, isGapless, reach, startPair, storedVersions } from "./pair.ts";
import type { Finding, Setting } from "./trial.ts";

const WRITERS = 16;

/** Writers on both control planes at once, nodes on both. */
export async function manyWriters({ server, commits, signal }: Setting): Promise<Finding[]> {
  await using pair = await startPair({ server });
  const { cluster, one, two } = pair;
  const nodes = [
    await cluster.addDataPlane("dp-1", { controlPlanes: [one, two] }),
    await cluster.addDataPlane("dp-2", { controlPlanes: [two, one] }),
    await cluster.addDataPlane("dp-3", { controlPlanes: [two] }),
  ];
  for (const node of nodes) await reach(node, 1, signal);
  const startedMs = performance.now();
  const answered = await writeConcurrently(cluster, { writers: WRITERS, commits }, documentOf);
  const seconds = (performance.now() - startedMs) / 1_000;
  const last = commits + 1;
  for (const node of nodes) await reach(node, last, signal);
  const levelMs = performance.now() - startedMs - seconds * 1_000;
  const hashes = await Promise.all(nodes.map(async (node) => String((await node.status()).config_hash_hex)));
  const stored = await storedVersions(pair);
  const measured = { writers: WRITERS, commits, seconds, commitsPerSecond: commits / seconds, levelMs, hashes };
  return [
    {
      claim: `${commits} commits of ${WRITERS} writers on two control planes: versions without gap or double`,
      holds: isGapless(answered, 2, last) && isGapless(stored, 1, last),
      measured,
    },
    {
      claim: "every node ends on the last version with the same hash, and none went back",
      holds: new Set(hashes).size === 1 && [...nodes, one, two].every(neverWentBack),
      measured: { nodes: nodes.length },
    },
  ];
}
