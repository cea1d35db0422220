import { type Summary, summarize } from "../statistics.ts";
import type { Run } from "./run.ts";

const MEASURES = [
  "requestsPerSecond",
  "requestsPerCpuSecond",
  "cpuMicrosPerRequest",
  "cpuShare",
  "p50Ms",
  "p99Ms",
  "rssBytes",
] as const satisfies readonly (keyof Run)[];

export type SubjectSummary = Readonly<Record<(typeof MEASURES)[number], Summary>> & {
  readonly runs: number;
  readonly discardedRuns: number;
};

/** The subject's value divided by the baseline's, taken in each round by itself. Above 1: the subject did more. */
export interface Ratio {
  readonly subject: string;
  readonly baseline: string;
  readonly requestsPerCpuSecond: Summary;
  readonly requestsPerSecond: Summary;
}

/** A run in which anything failed says nothing about the work of a proxy that succeeds. */
export function isSound(run: Run): boolean {
  return run.requests > 0 && Object.keys(run.failures).length === 0;
}

/** @throws Error when no run of the subject is sound. */
export function summarizeSubject(subject: string, runs: readonly Run[]): SubjectSummary {
  const own = runs.filter((run) => run.subject === subject);
  const sound = own.filter(isSound);
  if (sound.length === 0) throw new Error(`every run of ${subject} had failures; there is nothing to compare`);
  const summaries = MEASURES.map((measure) => [measure, summarize(sound.map((run) => run[measure]))] as const);
  return {
    runs: sound.length,
    discardedRuns: own.length - sound.length,
    ...(Object.fromEntries(summaries) as Record<(typeof MEASURES)[number], Summary>),
  };
}

/** @throws Error when in no round both had a sound run. */
export function compare(subject: string, baseline: string, runs: readonly Run[]): Ratio {
  const sound = runs.filter(isSound);
  const pairs = sound.flatMap((run) => {
    if (run.subject !== subject) return [];
    const other = sound.find((candidate) => candidate.subject === baseline && candidate.round === run.round);
    return other === undefined ? [] : [{ run, other }];
  });
  if (pairs.length === 0) throw new Error(`in no round both ${subject} and ${baseline} ran without failures`);
  const ratioOf = (measure: "requestsPerCpuSecond" | "requestsPerSecond") =>
    summarize(pairs.map(({ run, other }) => run[measure] / other[measure]));
  return {
    subject,
    baseline,
    requestsPerCpuSecond: ratioOf("requestsPerCpuSecond"),
    requestsPerSecond: ratioOf("requestsPerSecond"),
  };
}
