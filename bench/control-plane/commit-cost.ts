import { Cluster, type Member } from "../../test/support/cluster.ts";
import { CHANGED_ROUTE, renderChange, renderDocument } from "../fleet/document.ts";
import { quantile } from "../statistics.ts";
import type { Finding, Setting } from "./trial.ts";

const SIZES = [500, 50_000] as const;
const MAX_RATIO = 3;
const WARM_UP = 30;
const ROUNDS = 5;
const START_MS = 120_000;

/** What it costs to change one route through the API, in a small configuration and in a large one, in turns, on each kind of store. */
export async function commitCost({ server, changes, signal }: Setting): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const store of ["sqlite", "postgres"] as const) {
    await using small = await start(SIZES[0], store === "postgres" ? await server.newDatabase() : undefined);
    await using large = await start(SIZES[1], store === "postgres" ? await server.newDatabase() : undefined);
    const times: Record<string, number[]> = { small: [], large: [] };
    for (const { controlPlane } of [small, large]) await timesOf(controlPlane, 0, WARM_UP);
    for (let round = 0; round < ROUNDS; round++) {
      signal.throwIfAborted();
      const count = Math.ceil(changes / ROUNDS);
      const first = WARM_UP + round * count;
      times.small!.push(...(await timesOf(small.controlPlane, first, count)));
      times.large!.push(...(await timesOf(large.controlPlane, first, count)));
    }
    const [smallMs, largeMs] = [quantile(times.small!, 0.5), quantile(times.large!, 0.5)];
    findings.push({
      claim: `one route of ${SIZES[1]} costs at most ${MAX_RATIO} times what it costs of ${SIZES[0]}, on ${store}`,
      holds: largeMs <= MAX_RATIO * smallMs,
      measured: {
        store,
        routes: SIZES,
        changes: times.small!.length,
        medianMs: [smallMs, largeMs],
        p99Ms: [quantile(times.small!, 0.99), quantile(times.large!, 0.99)],
        ratio: largeMs / smallMs,
      },
    });
  }
  return findings;
}

function start(routes: number, store: string | undefined): Promise<Cluster> {
  return Cluster.start(renderDocument(routes, 0), 0, { startMs: START_MS, ...(store === undefined ? {} : { store }) });
}

async function timesOf(controlPlane: Member, first: number, count: number): Promise<number[]> {
  const url = `${await controlPlane.adminUrl()}/api/v1/routes/${CHANGED_ROUTE}`;
  const times: number[] = [];
  for (let number = first; number < first + count; number++) {
    const startedMs = performance.now();
    const answer = await fetch(url, {
      method: "PATCH",
      headers: { "content-type": "application/json" },
      body: renderChange(number + 1),
    });
    const body = await answer.text();
    times.push(performance.now() - startedMs);
    if (answer.status !== 200) throw new Error(`a change was answered ${answer.status}: ${body}`);
  }
  return times;
}
