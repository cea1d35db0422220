import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { type HistogramReading, type Labels, type Meter, silentMeter } from "../core/ports.ts";
import { PROXY_METRICS, registerProxyMetrics } from "./metrics.ts";
import { EventTotals } from "./plugin/event-counts.ts";
import { answering, eventually, ok, RawOrigin, TestProxy } from "./testing/test-proxy.ts";

type Series<Value> = () => Iterable<readonly [Labels, Value]>;

/** Reads what is observed, by the metric's name and the values of its labels. */
class Readings {
  readonly #numbers = new Map<string, Series<number>>();
  readonly #histograms = new Map<string, Series<HistogramReading>>();
  readonly meter: Meter = {
    ...silentMeter,
    observeCounter: ({ name }, read) => void this.#numbers.set(name, read),
    observeGauge: ({ name }, read) => void this.#numbers.set(name, read),
    observeHistogram: ({ name }, read) => void this.#histograms.set(name, read),
  };

  all(metric: keyof typeof PROXY_METRICS): Record<string, number> {
    const series = this.#numbers.get(PROXY_METRICS[metric].name)!();
    return Object.fromEntries(Array.from(series, ([labels, value]) => [Object.values(labels).join(" "), value]));
  }

  counted(metric: keyof typeof PROXY_METRICS): Record<string, number> {
    const series = this.#histograms.get(PROXY_METRICS[metric].name)!();
    const sum = ({ counts }: HistogramReading) => Array.from(counts).reduce((a, b) => a + b);
    return Object.fromEntries(Array.from(series, ([labels, value]) => [Object.values(labels).join(" "), sum(value)]));
  }
}

describe("the metrics of the proxy", () => {
  const proxy = new TestProxy();
  const readings = new Readings();
  const origin = answering(ok("hello"));
  const cutting = new RawOrigin((socket) => socket.destroy());
  const route = (url: string, path: string) => ({ path, backends: [{ url }] });

  before(async () => {
    await Promise.all([origin.start(), cutting.start()]);
    registerProxyMetrics(readings.meter, {
      events: new EventTotals(),
      state: proxy.state,
      series: proxy.series,
      workers: [],
      accessLog: undefined,
    });
  });
  after(() => Promise.all([proxy.stop(), origin.stop(), cutting.stop()]));

  it("count by route what was asked, answered, sent on and failed", async () => {
    const routes = { a: route(origin.url, "/a"), b: route(origin.url, "/b"), cut: route(cutting.url, "/cut") };
    await proxy.apply({ routes });
    const client = proxy.client();
    for (const path of ["/a", "/a", "/cut", "/nowhere"]) await client.get(path).until(/\r\n\r\n./s);
    client.send("POST /a HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n1234567");
    await client.until(/hello$/);
    await eventually(() => proxy.state.sum("activeRequests") === 0, "all are over");
    assert.deepEqual(readings.all("requests"), { "_none 4xx": 1, "a 2xx": 3, "cut 5xx": 1 });
    assert.deepEqual(readings.counted("requestDuration"), { _none: 1, a: 3, cut: 1 });
    assert.deepEqual(readings.counted("upstreamDuration"), { a: 3 });
    assert.deepEqual(readings.all("upstreamFailures"), { cut: 1 });
    assert.deepEqual(readings.all("requestBytes"), { a: 7 });
    assert.deepEqual(readings.all("responseBytes"), { a: 15 });
    assert.deepEqual(readings.all("requestFailures"), { "": 1 });
  });

  it("keep counting over a change, and forget a route that is gone", async () => {
    await proxy.apply({ routes: { a: route(origin.url, "/a"), c: route(origin.url, "/c") } });
    await proxy
      .client()
      .get("/a")
      .until(/hello$/);
    assert.deepEqual(readings.all("requests"), { "_none 4xx": 1, "a 2xx": 4 });
    await proxy.apply({ routes: { cut: route(origin.url, "/cut") } });
    assert.deepEqual(readings.all("requests"), { "_none 4xx": 1 });
    await proxy.apply({ routes: { a: route(origin.url, "/a") } });
    await proxy
      .client()
      .get("/a")
      .until(/hello$/);
    assert.deepEqual(readings.all("requests"), { "_none 4xx": 1, "a 2xx": 1 });
  });
});
