import { leaveMeasuredCore } from "../cores.ts";
import { requireTools } from "../debian-tools.ts";
import { describeSurroundings } from "../surroundings.ts";
import { renderTable } from "../table.ts";
import { TemporaryFolder } from "../temporary-folder.ts";
import { writeResult } from "../write-result.ts";
import { compare, isSound, type Ratio, type SubjectSummary, summarizeSubject } from "./comparison.ts";
import { startOrigin } from "./origin.ts";
import { measureRun, type Run } from "./run.ts";
import type { RunningProxy, Setting, Subject } from "./subject.ts";
import { verifySubject } from "./verify-subject.ts";

/**
 * Proxies side by side: each alone on one core, generator (wrk) and origin (nginx) on the other, small keep-alive GETs.
 * Runs alternate between the subjects. What is compared is requests per CPU-second of the proxy: requests per second say
 * as much about the load core where that one is exhausted first. `cpuShare` shows whether it was; a proxy that is less
 * than fully busy wakes up more often for each request and looks dearer than it is.
 */
export interface ProxyOptions {
  /** At least two; the last is the baseline that the others are divided by. */
  readonly subjects: readonly Subject[];
  readonly rounds: number;
  readonly seconds: number;
  readonly warmUpSeconds: number;
  readonly connections: number;
  readonly resultsFolder: string;
}

export async function benchmarkProxies(options: ProxyOptions, signal: AbortSignal): Promise<void> {
  const { subjects, resultsFolder, ...flags } = options;
  requireTools(["wrk", "nginx", "taskset", "git", ...subjects.flatMap(({ needs }) => needs)]);
  await leaveMeasuredCore();
  const surroundings = await describeSurroundings();
  const versions = await readVersions(subjects);
  const runs = await measureAll(options, signal);
  const summaries = Object.fromEntries(subjects.map(({ name }) => [name, summarizeSubject(name, runs)]));
  const baseline = subjects.at(-1)!.name;
  const ratios = subjects.slice(0, -1).map(({ name }) => compare(name, baseline, runs));
  const measured = { versions, flags, summaries, ratios, runs };
  console.log(`\n${renderSummaries(summaries)}\n\n${ratios.map(describeRatio).join("\n")}`);
  console.log(`\nwritten to ${await writeResult(resultsFolder, "proxy", surroundings, measured)}`);
}

async function readVersions(subjects: readonly Subject[]): Promise<Record<string, string>> {
  const versions = subjects.map(async (subject) => [subject.name, await subject.version()] as const);
  return Object.fromEntries(await Promise.all(versions));
}

/** Everything that it starts has stopped when it answers. */
async function measureAll(options: ProxyOptions, signal: AbortSignal): Promise<readonly Run[]> {
  await using folder = await TemporaryFolder.create();
  await using origin = await startOrigin({ folder: folder.path, signal });
  await using running = new AsyncDisposableStack();
  const setting = { originPort: origin.port, connections: options.connections, folder: folder.path, signal };
  const proxies: (readonly [Subject, RunningProxy])[] = [];
  for (const subject of options.subjects) proxies.push([subject, running.use(await startVerified(subject, setting))]);

  const runs: Run[] = [];
  for (let round = 0; round <= options.rounds; round++)
    for (const [{ name }, proxy] of proxies) {
      const seconds = round === 0 ? options.warmUpSeconds : options.seconds;
      const run = await measureRun(name, proxy, { round, connections: options.connections, seconds }, signal);
      console.log(describeRun(run));
      if (round > 0) runs.push(run);
    }
  return runs;
}

async function startVerified(subject: Subject, setting: Setting): Promise<RunningProxy> {
  const proxy = await subject.start(setting);
  try {
    await verifySubject(proxy.port, setting.originPort, setting.signal);
    return proxy;
  } catch (cause) {
    await proxy[Symbol.asyncDispose]();
    throw new Error(`${subject.name} cannot be compared`, { cause });
  }
}

function describeRun(run: Run): string {
  const title = `${run.round === 0 ? "warm-up" : `round ${run.round}`}  ${run.subject.padEnd(8)}`;
  if (!isSound(run)) return `${title}  DISCARDED, not counted: it had failures ${JSON.stringify(run.failures)}`;
  const { requestsPerSecond, cpuMicrosPerRequest, cpuShare } = run;
  const share = `${Math.round(cpuShare * 100)} % of its core`;
  return `${title}  ${requestsPerSecond.toFixed(0)} requests/s  ${cpuMicrosPerRequest.toFixed(1)} µs CPU each  ${share}`;
}

function renderSummaries(summaries: Readonly<Record<string, SubjectSummary>>): string {
  const head = ["medians", "requests/s", "per CPU-s", "µs CPU", "core %", "p50 ms", "p99 ms", "RSS MB", "runs"];
  const rows = Object.entries(summaries).map(([name, each]) => [
    name,
    each.requestsPerSecond.median.toFixed(0),
    each.requestsPerCpuSecond.median.toFixed(0),
    each.cpuMicrosPerRequest.median.toFixed(1),
    (each.cpuShare.median * 100).toFixed(0),
    each.p50Ms.median.toFixed(2),
    each.p99Ms.median.toFixed(2),
    (each.rssBytes.median / 1e6).toFixed(0),
    each.discardedRuns === 0 ? `${each.runs}` : `${each.runs} (${each.discardedRuns} discarded)`,
  ]);
  return renderTable([head, ...rows]);
}

function describeRatio({ subject, baseline, requestsPerCpuSecond, requestsPerSecond }: Ratio): string {
  const spread = `${requestsPerCpuSecond.min.toFixed(2)} to ${requestsPerCpuSecond.max.toFixed(2)}`;
  const perSecond = `${requestsPerSecond.median.toFixed(2)} of its requests per second`;
  return `${subject} does ${requestsPerCpuSecond.median.toFixed(2)} (${spread}) of ${baseline}'s requests per CPU-second, ${perSecond}`;
}
