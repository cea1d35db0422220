import { Counter, collectDefaultMetrics, Gauge, Histogram, type MetricConfiguration, Registry } from "prom-client";
import type { HistogramReading, Labels, Logger, Meter, MetricDefinition } from "../core/ports.ts";
import { histogramLines, metricHead, seriesLine } from "./text-format.ts";

type Reading<Value> = () => Iterable<readonly [Labels, Value]>;

/**
 * The port of core over prom-client, with a registry of its own. A name may be registered once; twice throws. What is observed
 * is written as it is read, without a copy in the registry: there may be thousands of routes.
 */
export class PrometheusMeter implements Meter {
  readonly #registry = new Registry();
  readonly #observed = new Map<string, () => string>();
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** What the text of `expose` is, for the Content-Type header. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** Adds the usual `process_*` and `nodejs_*` metrics of the main thread. */
  observeProcess(): void {
    collectDefaultMetrics({ register: this.#registry });
  }

  /** All metrics in the Prometheus text format. */
  async expose(): Promise<string> {
    const kept = await this.#registry.metrics();
    return [kept.trimEnd(), ...[...this.#observed.values()].map((write) => write())].join("\n").concat("\n");
  }

  counter(definition: MetricDefinition): { add(amount?: number, labels?: Labels): void } {
    const counter = new Counter(this.#configuration(definition));
    return { add: (amount = 1, labels = {}) => counter.inc(labels, amount) };
  }

  gauge(definition: MetricDefinition): { set(value: number, labels?: Labels): void } {
    const gauge = new Gauge(this.#configuration(definition));
    return { set: (value, labels = {}) => gauge.set(labels, value) };
  }

  histogram(definition: MetricDefinition & { buckets: readonly number[] }): {
    record(value: number, labels?: Labels): void;
  } {
    const buckets = [...definition.buckets];
    const histogram = new Histogram({ ...this.#configuration(definition), buckets });
    return { record: (value, labels = {}) => histogram.observe(labels, value) };
  }

  observeCounter(definition: MetricDefinition, read: Reading<number>): void {
    this.#observe(definition, "counter", read, (labels, value) => seriesLine(definition.name, labels, value));
  }

  observeGauge(definition: MetricDefinition, read: Reading<number>): void {
    this.#observe(definition, "gauge", read, (labels, value) => seriesLine(definition.name, labels, value));
  }

  observeHistogram(
    definition: MetricDefinition & { readonly buckets: readonly number[] },
    read: Reading<HistogramReading>,
  ): void {
    this.#observe(definition, "histogram", read, (labels, reading) => histogramLines(definition, labels, reading));
  }

  /** A reading that fails leaves its own metric empty and costs no other. */
  #observe<Value>(
    definition: MetricDefinition,
    type: string,
    read: Reading<Value>,
    write: (labels: Labels, value: Value) => string,
  ): void {
    const { name } = definition;
    if (this.#observed.has(name) || this.#registry.getSingleMetric(name) !== undefined)
      throw new Error(`the metric ${name} is registered already`);
    this.#observed.set(name, () => {
      const lines = [metricHead(definition, type)];
      try {
        for (const [labels, value] of read()) lines.push(write(labels, value));
      } catch (error) {
        this.#logger.warn("A metric could not be read", { metric: name, error });
      }
      return lines.join("\n");
    });
  }

  #configuration({ name, help, labels = [] }: MetricDefinition): MetricConfiguration<string> {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}
