import { setTimeout as delay } from "node:timers/promises";
import { requireTools } from "../debian-tools.ts";
import { type MemorySample, MemorySamples } from "../memory-samples.ts";
import { describeSurroundings } from "../surroundings.ts";
import { renderTable } from "../table.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { waitUntil } from "../wait-until.ts";
import { writeResult } from "../write-result.ts";
import { type Failure, FailureLedger, KILL_GRACE_MS, TARGET_GRACE_MS } from "./failure-ledger.ts";
import { type MemoryTrend, memoryTrend } from "./memory-trend.ts";
import { SoakTarget } from "./soak-target.ts";
import { SoakedNode } from "./soaked-node.ts";
import { SteadyLoad } from "./steady-load.ts";

/**
 * A node, the real program, at half of what it can do for minutes on end, while its configuration changes, a target comes and goes and
 * workers are killed. Nothing may fail but what has to (failure-ledger.ts says what), and memory may not grow.
 */
export interface SoakOptions {
  readonly minutes: number;
  readonly connections: number;
  readonly resultsFolder: string;
}

const WORKERS = 2;
const CALIBRATION_MS = 3_000;
const CHANGE_EVERY_MS = 2_000;
const KILL_EVERY_MS = 35_000;
const TARGET_FAILS_EVERY_MS = 15_000;
const TARGET_DOWN_MS = 3_000;
const REPLACED_WITHIN_MS = 15_000;
/** Above it, something else was running before the soak began. */
const QUIET_LOAD_AVERAGE = 0.5;
const FLAKY = "/flaky";
/** The part of the load that goes to the target that fails. */
const FLAKY_SHARE = 0.25;

interface Disturbances {
  changes: number;
  kills: number;
  targetFailures: number;
  readonly refusedChanges: string[];
}

/** @throws Error when something failed that should not have, or memory grew; the result is written before. */
export async function benchmarkSoak(options: SoakOptions, signal: AbortSignal): Promise<void> {
  const { resultsFolder, ...flags } = options;
  requireTools(["git"]);
  const surroundings = await describeSurroundings();
  const isQuiet = surroundings.machine.loadAverage <= QUIET_LOAD_AVERAGE;
  if (!isQuiet) console.log("This machine is not quiet: the rate means little, and the result says so.");
  const soaked = await soak(options, signal);
  console.log(`\n${renderSoak(soaked)}\n`);
  console.log(`written to ${await writeResult(resultsFolder, "soak", surroundings, { flags, isQuiet, ...soaked })}`);
  const { unexpected, disturbances, memory } = soaked;
  if (unexpected.count > 0 || disturbances.refusedChanges.length > 0)
    throw new Error("something failed that should not have");
  if (disturbances.kills !== disturbances.restarts) throw new Error("not every killed worker was replaced once");
  if (!memory.isFlat) throw new Error("memory grew after warming up");
}

async function soak({ minutes, connections }: SoakOptions, signal: AbortSignal): Promise<Soaked> {
  await using folder = await TemporaryFolder.create();
  await using steady = await SoakTarget.start();
  await using flaky = await SoakTarget.start();
  const ports = { steadyPort: steady.port, flakyPort: flaky.port };
  await using node = await SoakedNode.start({ folder: folder.path, workers: WORKERS, ...ports, signal });
  const capacityPerSecond = await measureCapacity(node.port, connections, signal);
  const ratePerSecond = Math.floor(capacityPerSecond / 2);
  console.log(`${capacityPerSecond} requests a second at most; ${ratePerSecond} a second for ${minutes} minutes …`);

  const ledger = new FailureLedger(FLAKY);
  const shared = { port: node.port, connections, ledger, signal };
  const flakyRate = Math.floor(ratePerSecond * FLAKY_SHARE);
  using load = new SteadyLoad({ ...shared, path: "/steady", ratePerSecond: ratePerSecond - flakyRate });
  using flakyLoad = new SteadyLoad({ ...shared, path: FLAKY, ratePerSecond: flakyRate });
  await Promise.all([load.start(), flakyLoad.start()]);
  using memory = new MemorySamples(() => node.usage());
  const over = AbortSignal.any([signal, AbortSignal.timeout(minutes * 60_000)]);
  const disturbances = await disturb(node, flaky, ledger, over);
  signal.throwIfAborted();
  await waitUntil("every killed worker to be replaced", async () => (await node.restarts()) >= disturbances.kills, {
    timeoutMs: REPLACED_WITHIN_MS,
    signal,
  }).catch(() => {}); // The result tells.
  return {
    capacityPerSecond,
    ratePerSecond,
    answered: load.answered + flakyLoad.answered,
    skipped: load.skipped + flakyLoad.skipped,
    disturbances: { ...disturbances, restarts: await node.restarts() },
    expected: {
      inKilledWorkers: ledger.inKilledWorkers,
      ofTargetsDown: ledger.ofTargetsDown,
      killGraceMs: KILL_GRACE_MS,
      targetGraceMs: TARGET_GRACE_MS,
    },
    unexpected: { count: ledger.unexpected, first: ledger.kept },
    memory: { ...memoryTrend(memory.samples), samples: [...memory.samples] },
  };
}

async function disturb(
  node: SoakedNode,
  flaky: SoakTarget,
  ledger: FailureLedger,
  over: AbortSignal,
): Promise<Disturbances> {
  const disturbances: Disturbances = { changes: 0, kills: 0, targetFailures: 0, refusedChanges: [] };
  const now = () => Math.round(performance.now());
  await Promise.all([
    repeat(CHANGE_EVERY_MS, over, () => change(node, disturbances)),
    repeat(KILL_EVERY_MS, over, async () => {
      ledger.killed(now());
      node.crash(disturbances.kills++ % WORKERS);
    }),
    repeat(TARGET_FAILS_EVERY_MS, over, async () => {
      disturbances.targetFailures++;
      ledger.targetFailed(now());
      await flaky.fail();
      await delay(TARGET_DOWN_MS);
      await flaky.comeBack();
      ledger.targetIsBack(now());
    }),
  ]);
  return disturbances;
}

async function measureCapacity(port: number, connections: number, signal: AbortSignal): Promise<number> {
  const ledger = new FailureLedger(FLAKY);
  using load = new SteadyLoad({
    ...{ port, connections, ledger, signal },
    path: "/steady",
    ratePerSecond: Number.POSITIVE_INFINITY,
  });
  await load.start();
  await delay(CALIBRATION_MS, undefined, { signal });
  const before = load.answered;
  await delay(CALIBRATION_MS, undefined, { signal });
  return Math.round(((load.answered - before) * 1_000) / CALIBRATION_MS);
}

async function change(node: SoakedNode, disturbances: Disturbances): Promise<void> {
  try {
    await node.changeConfiguration();
    disturbances.changes++;
  } catch (error) {
    disturbances.refusedChanges.push(String(error));
  }
}

/** Does it again and again, each time so long after the last began, until `over`. */
async function repeat(everyMs: number, over: AbortSignal, action: () => Promise<void>): Promise<void> {
  for (;;) {
    await delay(everyMs, undefined, { signal: over }).catch(() => {});
    if (over.aborted) return;
    await action();
  }
}

interface Soaked {
  readonly capacityPerSecond: number;
  readonly ratePerSecond: number;
  readonly answered: number;
  readonly skipped: number;
  readonly disturbances: Disturbances & { readonly restarts: number };
  readonly expected: {
    readonly inKilledWorkers: number;
    readonly ofTargetsDown: number;
    readonly killGraceMs: number;
    readonly targetGraceMs: number;
  };
  readonly unexpected: { readonly count: number; readonly first: readonly Failure[] };
  readonly memory: MemoryTrend & { readonly samples: readonly MemorySample[] };
}

function renderSoak({ answered, skipped, disturbances, expected, unexpected, memory }: Soaked): string {
  const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
  return renderTable([
    ["requests answered 200", `${answered}`],
    ["requests skipped, since the node fell behind", `${skipped}`],
    ["changes of configuration", `${disturbances.changes}, ${disturbances.refusedChanges.length} refused`],
    ["workers killed, and replaced", `${disturbances.kills}, ${disturbances.restarts}`],
    ["failures of a target", `${disturbances.targetFailures}`],
    ["expected: in flight in a killed worker", `${expected.inKilledWorkers}`],
    ["expected: for a target that was down", `${expected.ofTargetsDown}`],
    ["unexpected failures", `${unexpected.count}`],
    [
      "memory after warming up, at the end, at most",
      [memory.earlyBytes, memory.lateBytes, memory.peakBytes].map(megabytes).join(", "),
    ],
    ["memory is flat", memory.isFlat ? "yes" : "NO"],
  ]);
}
