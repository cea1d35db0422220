import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { request, run, TestPlugin, type TestRequest } from "../../sdk/testing.ts";
import { trafficSplit } from "./plugin.ts";

const groups = [
  { name: "stable", weight: 95 },
  { name: "canary", weight: 5, upstream: "canary" },
];

/** How many of the requests each group gets. */
async function counts(config: object, requests: readonly TestRequest[]): Promise<Record<string, number>> {
  const split = new TestPlugin(trafficSplit, config);
  for (const one of requests) await split.run(one);
  return split.events;
}

const many = (count: number, init: (n: number) => Partial<TestRequest> = () => ({})) =>
  Array.from({ length: count }, (_, n) => request("/", init(n)));

describe("traffic_split", () => {
  it("divides requests exactly by weight, and evenly in time", async () => {
    assert.deepEqual(await counts({ groups }, many(1_000)), { stable: 950, canary: 50 });
    assert.deepEqual(await counts({ groups }, many(20)), { stable: 19, canary: 1 });
  });

  it("sends a group to its upstream, and one without to that of the route", async () => {
    const split = new TestPlugin(trafficSplit, {
      groups: [
        { name: "a", weight: 1 },
        { name: "b", weight: 1, upstream: "other" },
      ],
    });
    const upstreams = [(await split.run()).forwarded?.upstream, (await split.run()).forwarded?.upstream];
    assert.deepEqual(upstreams, [undefined, "other"]);
  });

  it("keeps a client in its group by a cookie", async () => {
    const split = new TestPlugin(trafficSplit, { groups, sticky: {} });
    const placed = await split.run(request("/", { scheme: "https" }));
    assert.equal(
      placed.headers["set-cookie"],
      "X-Traffic-Group=stable; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax; Secure",
    );
    for (let n = 0; n < 40; n++) {
      const again = await split.run(request("/", { headers: { cookie: "a=b; X-Traffic-Group=canary" } }));
      assert.equal(again.forwarded?.upstream, "canary");
      assert.equal(again.headers["set-cookie"], undefined);
    }
  });

  it("places anew who comes with a group that is not there any more or gets nothing, and does not go by what failed", async () => {
    const drained = [
      { name: "new", weight: 1 },
      { name: "old", weight: 0, upstream: "old" },
    ];
    const split = new TestPlugin(trafficSplit, { groups: drained, sticky: { ttl: "1h", cookie_name: "g" } });
    for (const cookie of ["g=old", "g=nobody", "g=", "g=__proto__"]) {
      const { headers, forwarded } = await split.run(request("/", { headers: { cookie } }));
      assert.equal(forwarded?.upstream, undefined, cookie);
      assert.match(headers["set-cookie"] ?? "", /^g=new; Path=\/; Max-Age=3600;/, cookie);
    }
  });

  it("keeps a client in its group by a hash, the same wherever it is asked, in proportion to the weights", async () => {
    const sticky = { mode: "hash", hash_key: "header:X-User" };
    const users = (count: number) => many(count, (n) => ({ headers: { "x-user": `user-${n}` } }));
    const found = await counts({ groups, sticky }, users(10_000));
    assert.ok(found.canary! > 400 && found.canary! < 600, JSON.stringify(found));
    const placeOf = async (weight: number) => {
      const split = new TestPlugin(trafficSplit, { groups: [groups[0], { ...groups[1], weight }], sticky });
      return Promise.all(users(1_000).map(async (user) => (await split.run(user)).forwarded?.upstream));
    };
    const [before, again, after] = [await placeOf(5), await placeOf(5), await placeOf(20)];
    assert.deepEqual(before, again);
    for (const [index, upstream] of before.entries()) if (upstream === "canary") assert.equal(after[index], "canary");
  });

  it("sends whoever asks for it by a header to a group, even one without a weight", async () => {
    const tested = [
      { name: "stable", weight: 1 },
      { name: "next", weight: 0, upstream: "next", match_headers: { "X-Test": "yes" } },
    ];
    const split = new TestPlugin(trafficSplit, { groups: tested, sticky: {} });
    const asked = await split.run(request("/", { headers: { "x-test": "yes", cookie: "X-Traffic-Group=stable" } }));
    assert.deepEqual([asked.forwarded?.upstream, asked.headers["set-cookie"]], ["next", undefined]);
    assert.equal((await split.run(request("/", { headers: { "x-test": "no" } }))).forwarded?.upstream, undefined);
  });

  it("refuses groups that cannot be told apart or get nothing", async () => {
    const refused = (config: object, pattern: RegExp) => assert.rejects(run(trafficSplit, config), pattern);
    await refused({ groups: groups.slice(1) }, /groups/);
    await refused({ groups: [groups[0], groups[0]] }, /groups\[0\] has the name \\"stable\\" too/);
    await refused({ groups: groups.map((group) => ({ ...group, weight: 0 })) }, /at least one group needs a weight/);
    await refused({ groups, sticky: { mode: "hash", hash_key: "header:" } }, /must be ip, consumer/);
    await refused({ groups, sticky: { ttl: "0s" } }, /must be at least 1s/);
    await refused({ groups: [groups[0], { ...groups[1], name: "a b" }] }, /must be 1 to 64/);
  });
});
