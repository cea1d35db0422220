import { Counter, collectDefaultMetrics, Gauge, Histogram, type MetricConfiguration, Registry } from "prom-client";
import type { Labels, Logger, Meter, MetricDefinition } from "../core/ports.ts";

type Reading = () => Iterable<readonly [Labels, number]>;

/** The port of core over prom-client, with a registry of its own. A name may be registered once; twice throws. */
export class PrometheusMeter implements Meter {
  readonly #registry = new Registry();
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
  expose(): Promise<string> {
    return this.#registry.metrics();
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

  observeCounter(definition: MetricDefinition, read: Reading): void {
    const collect = this.#readInto(
      definition,
      read,
      () => counter,
      (labels, value) => counter.inc(labels, value),
    );
    const counter = new Counter({ ...this.#configuration(definition), collect });
  }

  observeGauge(definition: MetricDefinition, read: Reading): void {
    const collect = this.#readInto(
      definition,
      read,
      () => gauge,
      (labels, value) => gauge.set(labels, value),
    );
    const gauge = new Gauge({ ...this.#configuration(definition), collect });
  }

  /** A reading that fails leaves its own metric empty and costs no other. */
  #readInto(
    { name }: MetricDefinition,
    read: Reading,
    metric: () => { reset(): void },
    write: (labels: Labels, value: number) => void,
  ): () => void {
    return () => {
      metric().reset();
      try {
        for (const [labels, value] of read()) write(labels, value);
      } catch (error) {
        this.#logger.warn("A metric could not be read", { metric: name, error });
      }
    };
  }

  #configuration({ name, help, labels = [] }: MetricDefinition): MetricConfiguration<string> {
    return { name, help, labelNames: [...labels], registers: [this.#registry] };
  }
}
