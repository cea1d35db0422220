import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { leaveMeasuredCore } from "../cores.ts";
import { requireTools } from "../debian-tools.ts";
import { runFixedRate } from "../fixed-rate.ts";
import { startOrigin } from "../proxy/origin.ts";
import { quantile, summarize } from "../statistics.ts";
import { describeSurroundings } from "../surroundings.ts";
import { renderTable } from "../table.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { writeResult } from "../write-result.ts";
import { runWrk } from "../wrk.ts";
import type { ChangeTimes } from "./gateway-host.ts";
import { measureStarts, type NodeStarts } from "./node-starts.ts";
import { RoutedGateway } from "./routed-gateway.ts";
import { pathOf } from "./table-state.ts";

/**
 * What a table of routes costs a request, what a change of one route costs, and how long a node takes to start, by the size of the table. A
 * gateway of one worker has a core for itself, its main thread included; generator and origin have the other.
 */
export interface RoutesOptions {
  /** Sizes of the table; the first is what the others are compared with. */
  readonly routes: readonly number[];
  readonly rounds: number;
  readonly seconds: number;
  readonly connections: number;
  /** Sizes of the table that a node starts with. */
  readonly starts: readonly number[];
  readonly resultsFolder: string;
}

const CHANGES_ALONE = 300;
const WARM_UP_CHANGES = 60;
const PAUSE_MS = 100;
/** Of what the largest table was found to be capable of. */
const SHARE_OF_CAPACITY = 0.25;
const FULL_LOAD = { seconds: 20, changes: 200, pauseMs: 90 };

interface Rate {
  readonly requestsPerSecond: number;
  readonly requestsPerCpuSecond: number;
  readonly failures: Readonly<Record<string, number>>;
}

interface TableMeasurement {
  readonly routes: number;
  readonly loadMs: number;
  readonly memoryBytes: number;
  /** With requests to random routes of the table, so that hardly one finds its route in a cache of the processor. */
  readonly rates: Rate[];
  /** With requests to one route of the table. */
  readonly ratesOfOne: Rate[];
  /** One after the other while nothing is asked. */
  changesAlone: readonly ChangeTimes[];
}

export async function benchmarkRoutes(options: RoutesOptions, signal: AbortSignal): Promise<void> {
  const { resultsFolder, ...flags } = options;
  requireTools(["wrk", "nginx", "taskset", "git"]);
  const surroundings = await describeSurroundings();
  await using folder = await TemporaryFolder.create();
  await using origin = await startOrigin({ folder: folder.path, signal });
  const starts: NodeStarts[] = [];
  for (const routes of options.starts) {
    console.log(`starting nodes with ${routes} routes …`);
    starts.push(await measureStarts(routes, options.rounds, origin.port, signal));
  }
  await leaveMeasuredCore();
  await using gateways = new AsyncDisposableStack();
  const tables: { readonly gateway: RoutedGateway; readonly measured: TableMeasurement }[] = [];
  for (const routes of options.routes) {
    console.log(`loading ${routes} routes …`);
    const gateway = gateways.use(await RoutedGateway.start(routes, origin.port, signal));
    const { loadMs, memoryBytes } = gateway;
    tables.push({ gateway, measured: { routes, loadMs, memoryBytes, rates: [], ratesOfOne: [], changesAlone: [] } });
  }
  for (let round = 0; round <= options.rounds; round++)
    for (const { gateway, measured } of tables) {
      const rate = await measureRate(gateway, gateway.routes, options, folder.path, signal);
      const rateOfOne = await measureRate(gateway, 1, options, folder.path, signal);
      if (round === 0) continue; // It warms up.
      measured.rates.push(rate);
      measured.ratesOfOne.push(rateOfOne);
    }
  for (const { gateway, measured } of tables) {
    await gateway.change({ count: WARM_UP_CHANGES, pauseMs: 0 }, signal);
    measured.changesAlone = await gateway.change({ count: CHANGES_ALONE, pauseMs: 0 }, signal);
  }
  const { gateway, measured } = tables.at(-1)!;
  for (const table of tables.slice(0, -1)) await table.gateway[Symbol.asyncDispose](); // They would be in the way.
  const capacity = summarize(measured.rates.map((rate) => rate.requestsPerSecond)).median;
  const ratePerSecond = Math.round(capacity * SHARE_OF_CAPACITY);
  const underLoad = await measureUnderLoad(gateway, options, ratePerSecond, signal);
  const fullLoad = await measureFullLoad(gateway, options, folder.path, signal);
  const result = {
    flags,
    starts,
    tables: tables.map((table) => table.measured),
    underLoad: { ratePerSecond, rounds: underLoad },
    fullLoad,
  };
  console.log(`\n${renderTables(result.tables)}\n\n${renderUnderLoad(underLoad)}\n\n${renderStarts(starts)}\n`);
  console.log(`written to ${await writeResult(resultsFolder, "routes", surroundings, result)}`);
}

async function measureRate(
  gateway: RoutedGateway,
  asked: number,
  { connections, seconds }: RoutesOptions,
  folder: string,
  signal: AbortSignal,
): Promise<Rate> {
  const script = join(folder, `ask-${asked}.lua`);
  const path = pathOf(0).replace("r0", `r" .. math.random(0, ${asked - 1}) .. "`);
  await writeFile(script, `request = function() return wrk.format("GET", "${path}") end\n`);
  const before = gateway.usage();
  const url = `http://127.0.0.1:${gateway.port}/`;
  const { requests, requestsPerSecond, failures } = await runWrk({ url, connections, seconds, script }, signal);
  const cpuMs = gateway.usage().cpuMs - before.cpuMs;
  return { requestsPerSecond, requestsPerCpuSecond: (1_000 * requests) / cpuMs, failures };
}

interface UnderLoadRound {
  readonly steady: Awaited<ReturnType<typeof runFixedRate>>;
  readonly changing: Awaited<ReturnType<typeof runFixedRate>>;
  readonly changes: readonly ChangeTimes[];
}

/** The same rate twice: alone, and with a change every tenth of a second. */
async function measureUnderLoad(
  gateway: RoutedGateway,
  { rounds, seconds, connections }: RoutesOptions,
  ratePerSecond: number,
  signal: AbortSignal,
): Promise<UnderLoadRound[]> {
  const { port, routes } = gateway;
  const path = pathOf(Math.floor(routes / 2));
  const load = { port, path, connections, ratePerSecond, seconds, warmUpSeconds: seconds / 5 };
  const measured: UnderLoadRound[] = [];
  for (let round = 0; round < rounds; round++) {
    const steady = await runFixedRate(load, signal);
    const count = Math.floor((seconds * 1_000) / PAUSE_MS);
    const [changing, changes] = await Promise.all([
      runFixedRate(load, signal),
      gateway.change({ count, pauseMs: PAUSE_MS }, signal),
    ]);
    measured.push({ steady, changing, changes });
  }
  return measured;
}

/** As fast as it is answered, with random routes, while one after the other changes. */
async function measureFullLoad(gateway: RoutedGateway, options: RoutesOptions, folder: string, signal: AbortSignal) {
  const { seconds, changes: count, pauseMs } = FULL_LOAD;
  const [rate, changes] = await Promise.all([
    measureRate(gateway, gateway.routes, { ...options, seconds }, folder, signal),
    gateway.change({ count, pauseMs }, signal),
  ]);
  const longestPauseMs = Math.max(...changes.map(({ compileMs, swapMs }) => Math.max(compileMs, swapMs)));
  console.log(
    `${changes.length} changes in ${seconds} s under full load: ${rate.requestsPerSecond.toFixed(0)} requests/s, ` +
      `${countOf(rate.failures)} failures, longest pause of the worker ${longestPauseMs.toFixed(2)} ms`,
  );
  return { ...rate, changes };
}

function renderTables(tables: readonly TableMeasurement[]): string {
  const median = (rates: readonly Rate[]) => summarize(rates.map((one) => one.requestsPerCpuSecond)).median;
  /** Of the first table, in the same round. */
  const share = (rates: readonly Rate[], first: readonly Rate[]) =>
    summarize(rates.map((rate, round) => rate.requestsPerCpuSecond / first[round]!.requestsPerCpuSecond)).median;
  const change = (pick: (times: ChangeTimes) => number, q: number) => (table: TableMeasurement) =>
    quantile(table.changesAlone.map(pick), q).toFixed(2);
  const lines: readonly (readonly [string, (table: TableMeasurement) => string])[] = [
    ["routes", ({ routes }) => String(routes)],
    ["one route asked: requests a CPU-second", ({ ratesOfOne }) => median(ratesOfOne).toFixed(0)],
    ["of the first", ({ ratesOfOne }) => share(ratesOfOne, tables[0]!.ratesOfOne).toFixed(3)],
    ["all routes asked: requests a CPU-second", ({ rates }) => median(rates).toFixed(0)],
    ["of the first", ({ rates }) => share(rates, tables[0]!.rates).toFixed(3)],
    ["failures", ({ rates }) => String(rates.reduce((sum, { failures }) => sum + countOf(failures), 0))],
    ["load of the whole, ms", ({ loadMs }) => loadMs.toFixed(0)],
    ["memory, MB", ({ memoryBytes }) => (memoryBytes / 1e6).toFixed(0)],
    ["one change: median, ms", change(({ totalMs }) => totalMs, 0.5)],
    ["one change: check, median ms", change(({ validateMs }) => validateMs, 0.5)],
    ["one change: keeping it, median ms", change(({ persistMs }) => persistMs, 0.5)],
    ["one change: CPU of the supervisor, median ms", change(({ supervisorCpuMs }) => supervisorCpuMs, 0.5)],
    ["one change: CPU of the supervisor, p99 ms", change(({ supervisorCpuMs }) => supervisorCpuMs, 0.99)],
    ["one change: pause of the worker, p99 ms", change(({ compileMs, swapMs }) => Math.max(compileMs, swapMs), 0.99)],
  ];
  return renderTable(lines.map(([title, show]) => [title, ...tables.map(show)]));
}

function renderUnderLoad(rounds: readonly UnderLoadRound[]): string {
  const pauses = rounds.flatMap(({ changes }) => changes.map(({ compileMs, swapMs }) => Math.max(compileMs, swapMs)));
  const p99 = (pick: "steady" | "changing") => summarize(rounds.map((round) => round[pick].p99Ms)).median;
  const ratio = summarize(rounds.map(({ steady, changing }) => changing.p99Ms / steady.p99Ms)).median;
  const failures = rounds.reduce(
    (sum, { steady, changing }) => sum + countOf(steady.failures) + countOf(changing.failures),
    0,
  );
  return renderTable([
    ["the largest table at a fixed rate", "steady", "a change each 100 ms"],
    ["p99, ms", p99("steady").toFixed(2), p99("changing").toFixed(2)],
    ["p99 of the steady in its round", "1.00", ratio.toFixed(2)],
    ["failures", String(failures), `longest pause of the worker ${Math.max(...pauses).toFixed(2)} ms`],
  ]);
}

function renderStarts(starts: readonly NodeStarts[]): string {
  const seconds = (times: readonly number[]) => (summarize(times).median / 1_000).toFixed(2);
  return renderTable([
    ["a node starts with", ...starts.map(({ routes }) => `${routes} routes`)],
    ["new, s until it serves", ...starts.map(({ newNodeMs }) => seconds(newNodeMs))],
    ["again, from its disk, s", ...starts.map(({ fromDiskMs }) => seconds(fromDiskMs))],
  ]);
}

function countOf(failures: Readonly<Record<string, number>>): number {
  return Object.values(failures).reduce((sum, count) => sum + count, 0);
}
