import { setTimeout as delay } from "node:timers/promises";
import type { Member } from "../../test/support/cluster.ts";
import { PostgresServer } from "../../test/support/postgres-server.ts";
import { neverWentBack } from "../../test/support/versions-gone-live.ts";
import { quantile } from "../statistics.ts";
import { documentOf, isGapless, type Pair, reach, startPair, storedVersions } from "./pair.ts";
import type { Finding, Setting } from "./trial.ts";

const WRITE_EVERY_MS = 100;

interface Write {
  readonly status: number;
  readonly version: number | undefined;
  readonly code: string | undefined;
  readonly tookMs: number;
}

/** PostgreSQL stops under writes while nodes are restarted and a new one comes, and starts again: step by step. */
export async function databaseAway({ awaySeconds, signal }: Setting): Promise<Finding[]> {
  await using server = await PostgresServer.start();
  await using pair = await startPair({ server });
  const { cluster, one, two } = pair;
  const nodes = [
    await cluster.addDataPlane("dp-1", { controlPlanes: [one, two] }),
    await cluster.addDataPlane("dp-2", { controlPlanes: [two, one] }),
  ];
  for (const node of nodes) await reach(node, 1, signal);
  const writer = new Writer(pair);
  const writing = writer.run();
  await delay(1_000, undefined, { signal });
  await server.stop();
  const awayAt = performance.now();
  const refusedFrom = writer.writes.length;
  const readMs = await timed(async () => void (await (await one.admin("/api/v1/config")).text()));
  const restartMs = await timed(() => nodes[0]!.restart());
  const newcomerMs = await timed(async () => {
    const newcomer = await cluster.addDataPlane("dp-new", { controlPlanes: [one, two] });
    nodes.push(newcomer);
    await reach(newcomer, 1, signal);
  });
  await delay(Math.max(0, awaySeconds * 1_000 - (performance.now() - awayAt)), undefined, { signal });
  const served = await Promise.all(cluster.controlPlanes.map(statusOf));
  const refusedTo = writer.writes.length;
  await server.resume();
  const backAt = performance.now();
  await writer.accepted(refusedTo);
  const recoveredMs = performance.now() - backAt;
  await delay(1_000, undefined, { signal });
  await writer.stop(writing);
  const stored = await storedVersions(pair);
  for (const node of nodes) await reach(node, stored.at(-1)!, signal);
  return findingsOf({
    awaySeconds,
    stored,
    writes: writer.writes,
    // Those that were on their way at either moment belong to neither side.
    refused: writer.writes.slice(refusedFrom + 1, refusedTo),
    steps: { served, readMs, restartMs, newcomerMs, recoveredMs },
    wentBack: [...nodes, one, two].filter((member) => !neverWentBack(member)).map(({ name }) => name),
  });
}

interface Course {
  readonly awaySeconds: number;
  readonly stored: readonly number[];
  readonly writes: readonly Write[];
  readonly refused: readonly Write[];
  readonly steps: { readonly served: readonly object[] } & Record<string, unknown>;
  readonly wentBack: readonly string[];
}

function findingsOf({ awaySeconds, stored, writes, refused, steps, wentBack }: Course): Finding[] {
  const accepted = writes.flatMap(({ version }) => version ?? []);
  const wrong = refused.filter(({ status, code }) => status !== 503 || code !== "RW_STORE_UNAVAILABLE");
  return [
    {
      claim: `PostgreSQL away for ${awaySeconds} s: changes are refused with 503, configuration is read and given to nodes`,
      holds: refused.length > 0 && wrong.length === 0,
      measured: {
        refused: refused.length,
        wrong,
        refusedInMs: { median: quantile(tooksOf(refused), 0.5), longest: Math.max(...tooksOf(refused)) },
        ...steps,
      },
    },
    {
      claim: "what was accepted is stored, once and without gaps, and no node went back",
      holds:
        isGapless(stored, 1, stored.at(-1)!) &&
        accepted.every((version) => stored.includes(version)) &&
        new Set(accepted).size === accepted.length &&
        wentBack.length === 0,
      measured: { accepted: accepted.length, stored: stored.length, wentBack },
    },
  ];
}

function tooksOf(writes: readonly Write[]): number[] {
  return writes.map(({ tookMs }) => tookMs);
}

async function statusOf(member: Member): Promise<object> {
  const [ready, health] = await Promise.all([member.admin("/ready"), member.admin("/health")]);
  const { status } = (await health.json()) as { status: string };
  return { controlPlane: member.name, ready: ready.status, health: status };
}

async function timed(action: () => Promise<void>): Promise<number> {
  const startedMs = performance.now();
  await action();
  return performance.now() - startedMs;
}

/** Writes to both control planes in turn, whatever they answer. */
class Writer {
  readonly writes: Write[] = [];
  readonly #pair: Pair;
  #isRunning = true;

  constructor(pair: Pair) {
    this.#pair = pair;
  }

  async run(): Promise<void> {
    const { cluster, one, two } = this.#pair;
    for (let number = 0; this.#isRunning; number++) {
      const startedMs = performance.now();
      const answer = await cluster.push(documentOf(`/write-${number}`), "", number % 2 === 0 ? one : two);
      const { Version: version, code } = (await answer.json()) as { Version?: number; code?: string };
      this.writes.push({ status: answer.status, version, code, tookMs: performance.now() - startedMs });
      await delay(WRITE_EVERY_MS);
    }
  }

  /** Until a write after the given one was accepted by each. */
  async accepted(after: number): Promise<void> {
    while (this.writes.slice(after).filter(({ status }) => status === 200).length < 2) await delay(20);
  }

  async stop(running: Promise<void>): Promise<void> {
    this.#isRunning = false;
    await running;
  }
}
