import { leaveMeasuredCore } from "../cores.ts";
import { requireTools } from "../debian-tools.ts";
import { describeError } from "../describe-error.ts";
import { describeSurroundings } from "../surroundings.ts";
import { writeResult } from "../write-result.ts";
import { measureWorkload, type WorkloadOptions, type WorkloadResult } from "./measure-workload.ts";
import { renderConclusion } from "./report.ts";
import type { Subject } from "./subject.ts";
import type { Workload } from "./workload.ts";

/**
 * Proxies side by side: each alone on one core, generator and origin (nginx) on the other. Runs alternate between the
 * subjects. What is compared in most workloads is requests per CPU-second of the proxy: requests per second say as much
 * about the load core where that one is exhausted first. `cpuShare` shows whether it was; a proxy that is less than fully
 * busy wakes up more often for each request and looks dearer than it is.
 */
export interface ProxyOptions extends WorkloadOptions {
  /** At least two; the last is the baseline that the others are divided by. */
  readonly subjects: readonly Subject[];
  readonly workload: readonly Workload[];
  readonly resultsFolder: string;
}

/** What became of a workload that could not be measured to its end. */
interface Unmeasured {
  readonly workload: string;
  readonly title: string;
  readonly problem: string;
}

/**
 * The result is written after each workload, so that a run that is cut short leaves what it has measured; `planned` says what it
 * was to be.
 *
 * @throws AggregateError when a workload could not be measured, after all others were.
 */
export async function benchmarkProxies(options: ProxyOptions, signal: AbortSignal): Promise<void> {
  const { subjects, workload: workloads, resultsFolder, ...flags } = options;
  requireTools(["wrk", "nginx", "taskset", "git", ...[...subjects, ...workloads].flatMap(({ needs }) => needs)]);
  await leaveMeasuredCore();
  const surroundings = await describeSurroundings();
  const versions = await readVersions(subjects);
  const results: (WorkloadResult | Unmeasured)[] = [];
  const problems: unknown[] = [];
  const planned = workloads.map(({ name }) => name);
  let path = "";
  for (const workload of workloads) {
    console.log(`\n${workload.title} (${workload.name})`);
    try {
      const result = await measureWorkload(workload, options, signal);
      results.push(result);
      console.log(renderConclusion(result));
    } catch (error) {
      if (signal.aborted) throw error;
      problems.push(error);
      results.push({ workload: workload.name, title: workload.title, problem: describeError(error) });
      console.error(`NOT MEASURED: ${describeError(error)}`);
    }
    path = await writeResult(resultsFolder, "proxy", surroundings, { versions, flags, planned, workloads: results });
  }
  console.log(`\nwritten to ${path}`);
  if (problems.length > 0)
    throw new AggregateError(problems, `${problems.length} of ${workloads.length} workloads could not be measured`, {
      cause: problems[0],
    });
}

async function readVersions(subjects: readonly Subject[]): Promise<Record<string, string>> {
  const versions = subjects.map(async (subject) => [subject.name, await subject.version()] as const);
  return Object.fromEntries(await Promise.all(versions));
}
