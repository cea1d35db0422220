import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { silentLogger } from "../core/ports.ts";
import { PrometheusMeter } from "./prometheus-meter.ts";

describe("PrometheusMeter", () => {
  it("exposes counters, gauges and histograms in the text format", async () => {
    const meter = new PrometheusMeter(silentLogger);
    meter.counter({ name: "runway_pushes_total", help: "Pushes.", labels: ["source"] }).add(2, { source: "file" });
    meter.gauge({ name: "runway_nodes", help: "Nodes." }).set(3);
    meter.histogram({ name: "runway_apply_seconds", help: "Applies.", buckets: [0.1, 1] }).record(0.5);
    const text = await meter.expose();
    assert.match(text, /^runway_pushes_total\{source="file"\} 2$/m);
    assert.match(text, /^runway_nodes 3$/m);
    assert.match(text, /^runway_apply_seconds_bucket\{le="1"\} 1$/m);
    assert.match(meter.contentType, /^text\/plain; version=/);
  });

  it("reads observed metrics at each scrape and forgets label values that are gone", async () => {
    const meter = new PrometheusMeter(silentLogger);
    const values = new Map([["a", 1]]);
    const read = () => [...values].map(([node, value]) => [{ node }, value] as const);
    meter.observeGauge({ name: "runway_lag", help: "Lag.", labels: ["node"] }, read);
    meter.observeCounter({ name: "runway_requests_total", help: "Requests.", labels: ["node"] }, read);
    assert.match(await meter.expose(), /^runway_lag\{node="a"\} 1$/m);
    values.set("a", 5).set("b", 2);
    const second = await meter.expose();
    assert.match(second, /^runway_requests_total\{node="a"\} 5$/m);
    assert.match(second, /^runway_lag\{node="b"\} 2$/m);
    values.delete("a");
    assert.doesNotMatch(await meter.expose(), /node="a"/);
  });

  it("writes an observed histogram with cumulative buckets and escapes label values", async () => {
    const meter = new PrometheusMeter(silentLogger);
    const metric = { name: "runway_took_seconds", help: "Took.", labels: ["who"], buckets: [0.1, 1] } as const;
    meter.observeHistogram(metric, () => [[{ who: 'a"b\\c\nd' }, { counts: [2, 1, 4], sum: 9.5 }]]);
    const lines = (await meter.expose()).trim().split("\n");
    const who = 'who="a\\"b\\\\c\\nd"';
    assert.deepEqual(lines.slice(-7), [
      "# HELP runway_took_seconds Took.",
      "# TYPE runway_took_seconds histogram",
      `runway_took_seconds_bucket{${who},le="0.1"} 2`,
      `runway_took_seconds_bucket{${who},le="1"} 3`,
      `runway_took_seconds_bucket{${who},le="+Inf"} 7`,
      `runway_took_seconds_sum{${who}} 9.5`,
      `runway_took_seconds_count{${who}} 7`,
    ]);
    assert.throws(() => meter.observeHistogram(metric, () => []), /registered already/);
  });

  it("keeps the other metrics when one cannot be read", async () => {
    const warned: unknown[] = [];
    const meter = new PrometheusMeter({ ...silentLogger, warn: (_, fields) => warned.push(fields?.metric) });
    meter.observeGauge({ name: "runway_broken", help: "Broken." }, () => {
      throw new Error("gone");
    });
    meter.gauge({ name: "runway_whole", help: "Whole." }).set(1);
    assert.match(await meter.expose(), /^runway_whole 1$/m);
    assert.deepEqual(warned, ["runway_broken"]);
  });
});
