import type { Tool } from "../debian-tools.ts";
import type { Figure, Figures } from "./figures.ts";
import type { Feature, RunningProxy, Setting } from "./subject.ts";

/** What is asked of every subject alike. One more is one more file in `workloads/` and one line in `workloads.ts`. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** A subject that lacks one of these is named aloud and left out. */
  readonly requires: readonly Feature[];
  readonly needs: readonly Tool[];
  /** The figure that decides; the others are recorded beside it. */
  readonly compares: Figure;
  readonly setting?: WorkloadSetting;
  /**
   * With two, a subject is not compared with another but with itself: the first is the baseline of the second.
   * With none, the last subject is the baseline of the others.
   */
  readonly variants?: readonly [Variant, Variant];
  readonly origin?: "http" | "echo";
  /** A new process for each run, where what the run before has left behind would show, as with memory. */
  readonly startsAnew?: boolean;
  /** It is asked at a rate that is chosen beforehand, from what all subjects were found to be capable of. */
  readonly hasFixedRate?: boolean;
  /** @throws Error when the subject does not do the work that is about to be measured. */
  verify?(proxy: RunningProxy, setting: Setting): Promise<void>;
  /** Lasts about `seconds`; CPU and memory of the subject are read around it. */
  load(proxy: RunningProxy, conditions: Conditions, signal: AbortSignal): Promise<Observation>;
}

export type WorkloadSetting = Partial<Pick<Setting, "workers" | "accessLog" | "otherRoutes" | "guardedByKey">> & {
  readonly secure?: "tls" | "http2";
};

export interface Variant {
  readonly name: string;
  readonly setting?: WorkloadSetting;
  /** What is asked for, where variants differ by that. */
  readonly path?: string;
  /** The configuration is changed again and again while the run lasts. */
  readonly hasChanges?: boolean;
}

export interface Conditions {
  readonly connections: number;
  readonly seconds: number;
  readonly variant: Variant;
  /** Only for workloads with a fixed rate. */
  readonly ratePerSecond: number;
  /** For what a generator reads from a file. */
  readonly folder: string;
}

/** What a generator saw. */
export interface Observation {
  readonly requests: number;
  /** Of the body that each request or response had, where bytes are what counts. */
  readonly bodyBytes?: number;
  readonly figures: Figures;
  /** Requests that failed, by kind; only kinds that occurred. */
  readonly failures: Readonly<Record<string, number>>;
}
