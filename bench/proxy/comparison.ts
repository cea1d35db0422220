import { type Summary, summarize } from "../statistics.ts";
import { FIGURES, type Figure, styleOf } from "./figures.ts";
import type { Lane } from "./lane.ts";
import type { Run } from "./run.ts";

/** The figures that the runs of a lane have. */
export type LaneSummary = {
  readonly runs: number;
  readonly discardedRuns: number;
  readonly figures: Readonly<Partial<Record<Figure, Summary>>>;
};

/**
 * How a lane does against its baseline, taken in each round by itself. Above 1 it does better, whatever the figure: where
 * less of it is better, the baseline's value is divided by the lane's.
 */
export interface Ratio {
  readonly lane: string;
  readonly baseline: string;
  readonly figure: Figure;
  readonly ratio: Summary;
}

/** A run in which anything failed says nothing about the work of a proxy that succeeds. */
export function isSound(run: Run): boolean {
  return run.requests > 0 && Object.keys(run.failures).length === 0;
}

/** @throws Error when no run of the lane is sound. */
export function summarizeLane(lane: string, runs: readonly Run[]): LaneSummary {
  const own = runs.filter((run) => run.lane === lane);
  const sound = own.filter(isSound);
  if (sound.length === 0) throw new Error(`every run of ${lane} had failures; there is nothing to compare`);
  const summaries = (Object.keys(FIGURES) as Figure[]).flatMap((figure) => {
    const values = sound.flatMap(({ figures }) => figures[figure] ?? []);
    return values.length === 0 ? [] : [[figure, summarize(values)] as const];
  });
  return { runs: sound.length, discardedRuns: own.length - sound.length, figures: Object.fromEntries(summaries) };
}

/** @throws Error when in no round both had a sound run. */
export function compare(
  { name, baseline }: Pick<Lane, "name" | "baseline">,
  figure: Figure,
  runs: readonly Run[],
): Ratio {
  const sound = runs.filter(isSound);
  const ratios = sound.flatMap((run) => {
    if (run.lane !== name) return [];
    const own = run.figures[figure];
    const other = sound.find((each) => each.lane === baseline && each.round === run.round)?.figures[figure];
    if (own === undefined || other === undefined) return [];
    return styleOf(figure).better === "less" ? other / own : own / other;
  });
  if (ratios.length === 0) throw new Error(`in no round both ${name} and ${baseline} ran without failures`);
  return { lane: name, baseline, figure, ratio: summarize(ratios) };
}
