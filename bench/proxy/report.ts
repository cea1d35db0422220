import { renderTable } from "../table.ts";
import type { LaneSummary, Ratio } from "./comparison.ts";
import { FIGURES, type Figure, styleOf } from "./figures.ts";
import type { WorkloadResult } from "./measure-workload.ts";
import type { Run } from "./run.ts";

export function describeRun({ round, lane, figures, failures }: Run, compares: Figure, isSound: boolean): string {
  const title = `${round === 0 ? "warm-up" : `round ${round}`}  ${lane.padEnd(18)}`;
  if (!isSound) return `${title}  DISCARDED, not counted: it had failures ${JSON.stringify(failures)}`;
  const shown = [...new Set<Figure>([compares, "requestsPerSecond", "cpuMicrosPerRequest", "cpuShare", "lagP99Ms"])];
  const cells = shown.flatMap((figure) => {
    const value = figures[figure];
    return value === undefined ? [] : `${format(figure, value)} ${styleOf(figure).title}`;
  });
  return `${title}  ${cells.join("  ")}`;
}

/** What to make of a workload; empty when it was not measured. */
export function renderConclusion({ summaries, ratios }: Pick<WorkloadResult, "summaries" | "ratios">): string {
  if (Object.keys(summaries).length === 0) return "";
  return ["", renderSummaries(summaries), "", ...ratios.map(describeRatio), ...describeDoubts(summaries)].join("\n");
}

/** The medians, one line for each lane and one column for each figure that any of them has. */
function renderSummaries(summaries: Readonly<Record<string, LaneSummary>>): string {
  const all = Object.values(summaries);
  const figures = (Object.keys(FIGURES) as Figure[]).filter((figure) => all.some((each) => figure in each.figures));
  const rows = Object.entries(summaries).map(([name, { runs, discardedRuns, figures: own }]) => [
    name,
    ...figures.map((figure) => (own[figure] === undefined ? "" : format(figure, own[figure].median))),
    discardedRuns === 0 ? `${runs}` : `${runs} (${discardedRuns} discarded)`,
  ]);
  return renderTable([["medians", ...figures.map((figure) => styleOf(figure).title), "runs"], ...rows]);
}

/** Which latencies are more the generator's than the proxy's; their ratio then tends to 1, whatever the proxies do. */
export function describeDoubts(summaries: Readonly<Record<string, LaneSummary>>): readonly string[] {
  return Object.entries(summaries).flatMap(([name, { figures }]) => {
    const [lagMs, p99Ms] = [figures.lagP99Ms?.median, figures.p99Ms?.median];
    if (lagMs === undefined || p99Ms === undefined || lagMs < p99Ms / 2) return [];
    return [
      `${name}: IN DOUBT, ${lagMs.toFixed(2)} of its p99 of ${p99Ms.toFixed(2)} ms may be the generator's own lag`,
    ];
  });
}

function describeRatio({ lane, baseline, figure, ratio }: Ratio): string {
  const { title, better } = styleOf(figure);
  const spread = `${ratio.min.toFixed(2)} to ${ratio.max.toFixed(2)}`;
  const inverted = better === "less" ? " (less is better; 1 / ratio of the values)" : "";
  return `${lane}: ${ratio.median.toFixed(2)} (${spread}) of ${baseline} by ${title}${inverted}`;
}

function format(figure: Figure, value: number): string {
  return value.toFixed(styleOf(figure).digits);
}
