import type { Usage } from "../process-tree.ts";
import { type LoadReport, runWrk } from "../wrk.ts";
import type { RunningProxy } from "./subject.ts";

/** One measurement of one subject. */
export interface Run extends LoadReport {
  readonly subject: string;
  /** Runs of one round follow each other directly, so that their ratio is little touched by the machine's moods. */
  readonly round: number;
  readonly cpuMicrosPerRequest: number;
  readonly requestsPerCpuSecond: number;
  /** Share of its core that the subject used; the rest of the time it waited for the load core. */
  readonly cpuShare: number;
  readonly rssBytes: number;
}

export interface RunOptions {
  readonly round: number;
  readonly connections: number;
  readonly seconds: number;
}

export async function measureRun(
  subject: string,
  proxy: RunningProxy,
  { round, connections, seconds }: RunOptions,
  signal: AbortSignal,
): Promise<Run> {
  const before = proxy.usage();
  const startMs = performance.now();
  const report = await runWrk({ port: proxy.port, connections, seconds }, signal);
  const elapsedMs = performance.now() - startMs;
  return { subject, round, ...report, ...costOf(report.requests, elapsedMs, before, proxy.usage()) };
}

/** What the requests cost, by the difference between the usage before and after them. */
export function costOf(requests: number, elapsedMs: number, before: Usage, after: Usage) {
  const cpuMs = after.cpuMs - before.cpuMs;
  return {
    cpuMicrosPerRequest: (cpuMs * 1_000) / requests,
    requestsPerCpuSecond: (requests * 1_000) / cpuMs,
    cpuShare: cpuMs / elapsedMs,
    rssBytes: after.rssBytes,
  };
}
