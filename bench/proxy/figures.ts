/**
 * Everything that can be measured of a run, with how it is shown. `better` says for what a workload compares which
 * direction is the good one; a figure without it is context and never compared.
 */
export const FIGURES = {
  requestsPerSecond: { title: "requests/s", digits: 0 },
  requestsPerCpuSecond: { title: "per CPU-s", digits: 0, better: "more" },
  megabytesPerCpuSecond: { title: "MB per CPU-s", digits: 0, better: "more" },
  cpuMicrosPerRequest: { title: "µs CPU", digits: 1, better: "less" },
  /** Share of its core that the subject used; the rest of the time it waited for the load core. */
  cpuShare: { title: "core used", digits: 2 },
  p50Ms: { title: "p50 ms", digits: 2 },
  p99Ms: { title: "p99 ms", digits: 2, better: "less" },
  maxMs: { title: "max ms", digits: 1 },
  /** How late the generator itself was in asking. A latency that is not well above it is the generator's own. */
  lagP99Ms: { title: "own lag p99 ms", digits: 2 },
  changes: { title: "changes", digits: 0 },
  bytesPerConnection: { title: "bytes each", digits: 0, better: "less" },
  rssMegabytes: { title: "RSS MB", digits: 0 },
  rssPeakMegabytes: { title: "peak MB", digits: 0 },
  /** Resident memory at the end of the run less that at its start. */
  rssGrowthMegabytes: { title: "growth MB", digits: 1 },
} as const satisfies Record<string, FigureStyle>;

interface FigureStyle {
  readonly title: string;
  readonly digits: number;
  readonly better?: "more" | "less";
}

export type Figure = keyof typeof FIGURES;

/** What one run has to say; a figure that does not apply to its workload is absent. */
export type Figures = Readonly<Partial<Record<Figure, number>>>;

export function styleOf(figure: Figure): FigureStyle {
  return FIGURES[figure];
}
