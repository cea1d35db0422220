import { type MemorySample, MemorySamples } from "../memory-samples.ts";
import type { Usage } from "../process-tree.ts";
import type { Figures } from "./figures.ts";
import type { Lane } from "./lane.ts";
import type { RunningProxy } from "./subject.ts";
import type { Conditions, Observation, Workload } from "./workload.ts";

/** One measurement of one lane. */
export interface Run {
  readonly lane: string;
  /** Runs of one round follow each other directly, so that their ratio is little touched by the machine's moods. */
  readonly round: number;
  readonly requests: number;
  readonly figures: Figures;
  readonly failures: Readonly<Record<string, number>>;
  /** Runs before it that do not count, since the generator was late in them. */
  readonly repeats?: number;
  readonly memory: readonly MemorySample[];
}

export async function measureRun(
  workload: Workload,
  { lane, round, proxy }: { readonly lane: Lane; readonly round: number; readonly proxy: RunningProxy },
  conditions: Conditions,
  signal: AbortSignal,
): Promise<Run> {
  const before = proxy.usage();
  const startMs = performance.now();
  using memory = new MemorySamples(() => proxy.usage());
  const seen = await workload.load(proxy, conditions, signal);
  const elapsedMs = performance.now() - startMs;
  const after = proxy.usage();
  const cost = { ...costOf(seen, elapsedMs, before, after), ...growthOf(memory.samples, before, after) };
  return {
    lane: lane.name,
    round,
    requests: seen.requests,
    figures: { ...seen.figures, ...cost },
    failures: seen.failures,
    memory: memory.samples,
  };
}

/** What the requests cost, by the difference between the usage before and after them. */
export function costOf(
  { requests, bodyBytes }: Pick<Observation, "requests" | "bodyBytes">,
  elapsedMs: number,
  before: Usage,
  after: Usage,
): Figures {
  const cpuMs = after.cpuMs - before.cpuMs;
  if (requests === 0 || cpuMs === 0) return { cpuShare: cpuMs / elapsedMs };
  return {
    cpuMicrosPerRequest: (cpuMs * 1_000) / requests,
    requestsPerCpuSecond: (requests * 1_000) / cpuMs,
    ...(bodyBytes === undefined ? {} : { megabytesPerCpuSecond: (requests * bodyBytes) / 1_000 / cpuMs }),
    cpuShare: cpuMs / elapsedMs,
  };
}

function growthOf(samples: readonly MemorySample[], before: Usage, after: Usage): Figures {
  return {
    rssMegabytes: after.rssBytes / 1e6,
    rssPeakMegabytes: Math.max(after.rssBytes, ...samples.map(({ rssBytes }) => rssBytes)) / 1e6,
    rssGrowthMegabytes: (after.rssBytes - before.rssBytes) / 1e6,
  };
}
