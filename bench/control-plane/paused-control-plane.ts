import { setTimeout as delay } from "node:timers/promises";
import { neverWentBack } from "../../test/support/versions-gone-live.ts";
import { documentOf, liveAt, reach, startPair } from "./pair.ts";
import type { Finding, Setting } from "./trial.ts";

const COMMITS = 20;

/** One control plane stands still while the other commits, and then goes on. */
export async function pausedControlPlane({ server, stoppedSeconds, signal }: Setting): Promise<Finding[]> {
  await using pair = await startPair({ server });
  const { cluster, one, two } = pair;
  const own = await cluster.addDataPlane("dp-own", { controlPlanes: [one, two] });
  const others = await cluster.addDataPlane("dp-others", { controlPlanes: [two, one] });
  const nodes = [own, others];
  for (const node of nodes) await reach(node, 1, signal);
  one.process.signal("SIGSTOP");
  const commitMs: number[] = [];
  for (let number = 0; number < COMMITS; number++) {
    const startedMs = performance.now();
    const answer = await cluster.push(documentOf(`/v${number}`), "", two);
    if (answer.status !== 200) throw new Error(`a commit was answered ${answer.status}: ${await answer.text()}`);
    commitMs.push(performance.now() - startedMs);
    await delay((stoppedSeconds * 1_000) / COMMITS, undefined, { signal });
  }
  const last = COMMITS + 1;
  await reach(others, last, signal);
  const ownBefore = Number((await own.status()).config_version);
  const continuedAt = Date.now();
  one.process.signal("SIGCONT");
  for (const member of [...nodes, one]) await liveAt(member, last);
  const levelMs = Math.max(0, (await liveAt(one, last)) - continuedAt);
  // What it commits from now on follows what the other committed.
  const answer = await cluster.push(documentOf("/after"), "", one);
  for (const node of nodes) await reach(node, last + 1, signal);
  return [
    {
      claim: `stopped for ${stoppedSeconds} s while the other commits, then resumed: nothing goes back anywhere`,
      holds: answer.status === 200 && [...nodes, one, two].every(neverWentBack),
      measured: { commits: COMMITS, longestCommitMs: Math.max(...commitMs), ownNodeAtResume: ownBefore, levelMs },
    },
  ];
}
