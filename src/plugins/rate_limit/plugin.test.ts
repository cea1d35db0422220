import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run, systemClock, TestPlugin } from "../../sdk/testing.ts";
import { slidingWindow, tokenBucket } from "./limiter.ts";
import { rateLimit } from "./plugin.ts";

/** What is known of a key that nobody used yet. */
const unused = () => ({ numbers: new Float64Array(3), isShared: false, keepMs: 0, worth: 0 });

async function statuses(limit: TestPlugin, count: number, asked = request()): Promise<number[]> {
  const results = [];
  for (let n = 0; n < count; n++) results.push((await limit.run(asked)).status);
  return results;
}

describe("rate_limit", () => {
  it("lets as many requests through as it says, tells what is left, and refuses more", async () => {
    const startMs = performance.now();
    const clock = { ...systemClock, now: () => 1_000_000_500 + performance.now() - startMs };
    const limit = new TestPlugin(rateLimit, { rate: 2, period: "1h" }, { clock });
    const [first, second, third] = [await limit.run(), await limit.run(), await limit.run()];
    assert.deepEqual([first.status, second.status, third.status], [200, 200, 429]);
    assert.deepEqual(
      [first, second, third].map(({ headers }) => headers["x-ratelimit-remaining"]),
      ["1", "0", "0"],
    );
    assert.equal(third.failure, "rateLimited");
    assert.equal(third.headers["x-ratelimit-limit"], "2");
    assert.equal(third.headers["retry-after"], "1800");
    assert.equal(third.headers["x-ratelimit-reset"], "1001801");
    assert.equal(third.forwarded, undefined);
    assert.deepEqual(limit.events, { limited: 1 });
  });

  it("gives each address, consumer, header or cookie a limit of its own", async () => {
    const cases: [string, ReturnType<typeof request>, ReturnType<typeof request>][] = [
      ["ip", request("/", { client: "192.0.2.1" }), request("/", { client: "192.0.2.2" })],
      ["consumer", request("/", { consumer: "alice" }), request("/", { consumer: "bob" })],
      ["header:X-Key", request("/", { headers: { "x-key": "a" } }), request("/", { headers: { "x-key": "b" } })],
      ["cookie:id", request("/", { headers: { cookie: "id=a" } }), request("/", { headers: { cookie: "id=b" } })],
    ];
    for (const [key, one, other] of cases) {
      const limit = new TestPlugin(rateLimit, { rate: 1, period: "1h", key });
      assert.deepEqual(
        [...(await statuses(limit, 2, one)), ...(await statuses(limit, 2, other))],
        [200, 429, 200, 429],
        key,
      );
    }
  });

  it("goes by the address where a request has nothing else, and by nothing that only looks like it", async () => {
    const limit = new TestPlugin(rateLimit, { rate: 1, period: "1h", key: "header:X-Key" });
    assert.deepEqual(await statuses(limit, 2, request("/", { client: "192.0.2.9" })), [200, 429]);
    const forged = request("/", { headers: { "x-key": "ip 192.0.2.9" } });
    assert.deepEqual(await statuses(limit, 1, forged), [200]);
  });

  it("counts a network of IPv6 as one, as large as it is told to", async () => {
    const [one, near, far] = ["2001:db8::1", "2001:db8::ffff:2", "2001:db8:0:1::1"].map((client) =>
      request("/", { client }),
    );
    const limit = new TestPlugin(rateLimit, { rate: 1, period: "1h", key: "ip" });
    assert.deepEqual([...(await statuses(limit, 1, one)), ...(await statuses(limit, 1, near))], [200, 429]);
    assert.deepEqual(await statuses(limit, 1, far), [200]);
    const each = new TestPlugin(rateLimit, { rate: 1, period: "1h", key: "ip", ipv6_prefix_length: 128 });
    assert.deepEqual([...(await statuses(each, 1, one)), ...(await statuses(each, 1, near))], [200, 200]);
  });

  it("cannot be made to forget who is limited, and says when it has more keys than it can tell apart", async () => {
    const limit = new TestPlugin(rateLimit, { rate: 1, period: "24h", key: "header:X-Key" });
    const known = Array.from({ length: 200 }, (_, n) => request("/", { headers: { "x-key": `known ${n}` } }));
    for (const one of known) assert.deepEqual(await statuses(limit, 2, one), [200, 429]);
    for (let n = 0; n < 70_000; n++) await limit.run(request("/", { headers: { "x-key": `flood ${n}` } }));
    for (const one of known) assert.deepEqual(await statuses(limit, 1, one), [429]);
    assert.ok(limit.events.crowded! > 1_000, `${limit.events.crowded} were crowded`);
  });

  it("refuses a configuration that cannot be a limit", async () => {
    await assert.rejects(run(rateLimit, { rate: 0 }), /rate/);
    await assert.rejects(run(rateLimit, { rate: 1, period: "0s" }), /must be at least 1ms/);
    await assert.rejects(run(rateLimit, { rate: 1, key: "header:" }), /must be ip, consumer/);
    await assert.rejects(run(rateLimit, { rate: 1, algorithm: "leaky" }), /algorithm/);
  });
});

describe("a token bucket", () => {
  it("lets a burst through and then as many as the rate says", () => {
    const entry = unused();
    const limit = { rate: 10, periodMs: 1_000, burst: 3 };
    const at = (ms: number) => tokenBucket(limit, entry, 1_000_000 + ms).isWithin;
    assert.deepEqual(
      [at(0), at(0), at(0), at(0), at(99), at(100), at(150), at(200)],
      [true, true, true, false, false, true, false, true],
    );
    const fresh = unused();
    tokenBucket(limit, fresh, 5_000);
    assert.deepEqual([fresh.worth, fresh.keepMs], [1 / 3, 100]);
    assert.deepEqual([at(10_000), at(10_000), at(10_000), at(10_000)], [true, true, true, false]);
  });
});

describe("a sliding window", () => {
  it("counts what came in the last period, the one before by the share that is covered", () => {
    const entry = unused();
    const limit = { rate: 4, periodMs: 1_000, burst: 4 };
    const at = (ms: number) => slidingWindow(limit, entry, 1_000_000 + ms).isWithin;
    assert.deepEqual([at(900), at(900), at(900), at(900), at(999)], [true, true, true, true, false]);
    assert.deepEqual([at(1_000), at(1_250), at(1_251)], [false, true, false]);
    const fresh = unused();
    slidingWindow(limit, fresh, 5_250);
    assert.deepEqual([fresh.worth, fresh.keepMs], [1 / 4, 1_750]);
    assert.deepEqual([at(3_000), at(3_000), at(3_000), at(3_000), at(3_000)], [true, true, true, true, false]);
  });
});
