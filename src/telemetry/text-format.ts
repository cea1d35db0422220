import type { HistogramReading, Labels, MetricDefinition } from "../core/ports.ts";

/** Lines of the Prometheus text format (prometheus.io/docs/instrumenting/exposition_formats, version 0.0.4), without line ends. */
export function metricHead({ name, help }: MetricDefinition, type: string): string {
  return `# HELP ${name} ${escaped(help)}\n# TYPE ${name} ${type}`;
}

export function seriesLine(name: string, labels: Labels, value: number): string {
  return `${name}${inBraces(pairs(labels))} ${value}`;
}

/** Buckets of the format are cumulative: each counts everything up to its bound. */
export function histogramLines(
  { name, buckets }: MetricDefinition & { readonly buckets: readonly number[] },
  labels: Labels,
  { counts, sum }: HistogramReading,
): string {
  const own = pairs(labels);
  let below = 0;
  let lines = "";
  for (const [index, count] of counts.entries()) {
    below += count;
    lines += `${name}_bucket${inBraces([...own, `le="${buckets[index] ?? "+Inf"}"`])} ${below}\n`;
  }
  return `${lines}${name}_sum${inBraces(own)} ${sum}\n${name}_count${inBraces(own)} ${below}`;
}

function pairs(labels: Labels): string[] {
  return Object.entries(labels).map(([name, value]) => `${name}="${escaped(value).replaceAll('"', '\\"')}"`);
}

function inBraces(pairs: readonly string[]): string {
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}

function escaped(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
