/** Where log lines go. Messages are constant sentences; what varies goes into `fields`. `error` means that a person must act. */
export interface Logger {
  debug(message: string, fields?: Record<string, unknown>): void;
  info(message: string, fields?: Record<string, unknown>): void;
  warn(message: string, fields?: Record<string, unknown>): void;
  error(message: string, fields?: Record<string, unknown>): void;
  /** A logger that adds `fields` to every line. */
  child(fields: Record<string, unknown>): Logger;
}

export const silentLogger: Logger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  child: () => silentLogger,
};

/** What a metric is called (`runway_<noun>_<unit>[_total]`), what it says, and the names of its labels. */
export interface MetricDefinition {
  readonly name: `runway_${string}`;
  readonly help: string;
  readonly labels?: readonly string[];
}

/** The metrics of a room, declared in its `metrics.ts`; the reference page is made of these tables. */
export type MetricTable = Readonly<
  Record<
    string,
    MetricDefinition & { readonly type: "counter" | "gauge" | "histogram"; readonly buckets?: readonly number[] }
  >
>;

/** What a histogram holds: how many values fell into each bucket, those beyond the last bound at the end, and their sum. */
export interface HistogramReading {
  readonly counts: readonly number[] | Float64Array;
  readonly sum: number;
}

export type Labels = Readonly<Record<string, string>>;

/** Where measurements go. `observe…` registers a function that is called at each scrape and yields the current values. */
export interface Meter {
  counter(definition: MetricDefinition): { add(amount?: number, labels?: Labels): void };
  gauge(definition: MetricDefinition): { set(value: number, labels?: Labels): void };
  histogram(definition: MetricDefinition & { buckets: readonly number[] }): {
    record(value: number, labels?: Labels): void;
  };
  observeCounter(definition: MetricDefinition, read: () => Iterable<readonly [Labels, number]>): void;
  observeGauge(definition: MetricDefinition, read: () => Iterable<readonly [Labels, number]>): void;
  observeHistogram(
    definition: MetricDefinition & { readonly buckets: readonly number[] },
    read: () => Iterable<readonly [Labels, HistogramReading]>,
  ): void;
}

export const silentMeter: Meter = {
  counter: () => ({ add() {} }),
  gauge: () => ({ set() {} }),
  histogram: () => ({ record() {} }),
  observeCounter() {},
  observeGauge() {},
  observeHistogram() {},
};
