import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { eventually, type RawClient } from "../testing/test-proxy.ts";
import type { Mood } from "../upstream/testing/moody-origin.ts";
import { UpstreamStage } from "../upstream/testing/upstream-stage.ts";

const open: UpstreamStage[] = [];
afterEach(async () => {
  for (const stage of open.splice(0)) await stage.stop();
});

const AT_ONCE = { initial_backoff: "0s" };

async function stageOf(names: string, retry_policy: object | undefined, policy: object = {}, route: object = {}) {
  const retries = retry_policy === undefined ? {} : { retry_policy: { ...AT_ONCE, ...retry_policy } };
  const stage = await UpstreamStage.open(names, policy, { ...retries, ...route });
  open.push(stage);
  return stage;
}

function count(stage: UpstreamStage, cell: "retries" | "retriesRefused"): number {
  const [slot] = [...stage.gateway.routes.entries()].filter(([id]) => id === "r").map(([, place]) => place);
  return stage.gateway.state.route(slot!).get(cell);
}

const post = (body: string, length = body.length) =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${body}`;
const request = (method: string) =>
  `${method} / HTTP/1.1\r\nHost: a\r\n${method === "POST" ? "Content-Length: 0\r\n" : ""}\r\n`;

describe("a request that a target fails", () => {
  const table: [mood: Mood, method: string, isTriedAgain: boolean][] = [
    ["unavailable", "GET", true],
    ["resetting", "GET", true],
    ["silent", "GET", true],
    ["unavailable", "POST", false],
    ["resetting", "POST", false],
    ["silent", "POST", false],
    ["failing", "GET", false],
  ];
  for (const [mood, method, isTriedAgain] of table)
    it(`(${method}, ${mood}) is ${isTriedAgain ? "" : "not "}tried again at another one`, async () => {
      const stage = await stageOf("ab", { max_retries: 2, per_try_timeout: "50ms" });
      stage.origin("a").mood = mood;
      const answers = [await stage.send(request(method)), await stage.send(request(method))];
      const byB = answers.filter(({ by }) => by === "b").length;
      assert.equal(byB, isTriedAgain ? 2 : 1, JSON.stringify(answers));
      assert.equal(stage.origin("a").requests, 1);
      assert.equal(count(stage, "retries"), isTriedAgain ? 1 : 0);
    });

  it("is tried again, whatever its method and body, where the target was not reached", async () => {
    const stage = await stageOf("ab", { max_retries: 1, max_body_size: 100 });
    await stage.origin("a").stop();
    for (const text of [request("GET"), request("POST"), post("hello"), request("DELETE")])
      for (let turn = 0; turn < 2; turn++) assert.equal((await stage.send(text)).by, "b");
    assert.deepEqual(stage.origin("b").bodies, ["hello", "hello"]);
  });

  it("is tried again with its body only as far as the policy keeps it", async () => {
    const stage = await stageOf("ab", { max_retries: 1, max_body_size: 10, retryable_methods: ["POST"] });
    stage.origin("a").mood = "unavailable";
    for (let turn = 0; turn < 2; turn++) assert.equal((await stage.send(post("0123456789"))).by, "b");
    assert.deepEqual(stage.origin("b").bodies, ["0123456789", "0123456789"]);
    const statuses = [await stage.send(post("0123456789A")), await stage.send(post("0123456789A"))].map(
      ({ status }) => status,
    );
    assert.deepEqual(statuses.sort(), [200, 503]);
    assert.equal(stage.origin("b").bodies.length, 3);
  });

  it("is tried again in the middle of its body, and the target gets it whole", async () => {
    const stage = await stageOf("ab", { max_retries: 1, max_body_size: 100, retryable_methods: ["POST"] });
    await stage.origin("a").stop();
    for (let turn = 0; turn < 2; turn++) {
      const client = stage.gateway.client().send(post("begun ", 11));
      await eventually(() => stage.gateway.state.sum("activeRequests") === 1, "the request");
      client.send("ended");
      assert.match(await client.until(/b$/), /^HTTP\/1.1 200 /);
    }
    assert.deepEqual(stage.origin("b").bodies, ["begun ended", "begun ended"]);
  });

  it("goes to the same one again where there is no other, and its last answer is passed on", async () => {
    const stage = await stageOf("a", { max_retries: 2 });
    stage.origin("a").mood = "unavailable";
    const [answer] = await stage.ask(1);
    assert.equal(answer!.status, 503);
    assert.equal(answer!.by, "", "what the target said");
    assert.equal(stage.requests, 3);
    assert.equal(stage.origin("a").connections, 1, "answers that nobody wanted cost no connection");
  });

  it("is tried at most as often as the policy says, at each target once before any twice", async () => {
    const stage = await stageOf("abcd", { max_retries: 3 });
    for (const origin of stage.origins) origin.mood = "unavailable";
    await stage.ask(1);
    assert.deepEqual(
      stage.origins.map(({ requests }) => requests),
      [1, 1, 1, 1],
    );
  });

  it("has failed once its time is over, however many attempts there could be", async () => {
    const stage = await stageOf(
      "ab",
      { max_retries: 9, per_try_timeout: "60ms" },
      {},
      { timeout_policy: { request: "200ms" } },
    );
    for (const origin of stage.origins) origin.mood = "silent";
    const [answer] = await stage.ask(1);
    assert.equal(answer!.by, "RW_UPSTREAM_TIMEOUT");
    assert.match(answer!.text, /\r\nRetry-After: \d+\r\n/);
    assert.ok(stage.requests >= 2 && stage.requests < 10, `${stage.requests}`);
  });

  it("is not tried again once something of a response has gone to the client, nor when the client is gone", async () => {
    const stage = await stageOf("ab", { max_retries: 3, initial_backoff: "10s", max_backoff: "10s" });
    for (const origin of stage.origins) origin.mood = "unavailable";
    const client = stage.gateway.client().get("/");
    await eventually(() => stage.requests === 1, "the first attempt");
    client.close();
    await eventually(() => stage.gateway.state.sum("activeRequests") === 0, "the end of the request");
    for (const origin of stage.origins) origin.mood = "well";
    assert.equal(stage.requests, 1);
  });
});

describe("a retry budget", () => {
  it("makes a retry storm impossible: with every target down, attempts stay within it", async () => {
    const budget = { ratio: 0.1, min_retries: 5, window: "1h" };
    const stage = await stageOf("abc", { max_retries: 5, budget });
    for (const origin of stage.origins) origin.mood = "unavailable";
    const sent = 300;
    const clients = Array.from({ length: 20 }, () => stage.gateway.client());
    for (let round = 0; round < sent / clients.length; round++)
      await Promise.all(clients.map((client) => client.get("/").until(/\r\n\r\n$/)));
    const further = stage.requests - sent;
    assert.equal(further, count(stage, "retries"));
    assert.ok(further <= sent * budget.ratio, `${further} further attempts`);
    assert.ok(further >= sent * budget.ratio - 1, "and it is used");
    assert.ok(count(stage, "retriesRefused") > 0);
  });

  it("is the least number of attempts where there are few requests, and is there again in the next window", async () => {
    const stage = await stageOf("ab", { max_retries: 5, budget: { ratio: 0, min_retries: 4, window: "200ms" } });
    for (const origin of stage.origins) origin.mood = "unavailable";
    await stage.ask(2);
    assert.equal(stage.requests, 2 + 4);
    while (count(stage, "retries") < 8) await stage.ask(1);
  });

  it("goes on over a change of configuration", async () => {
    const retry_policy = { ...AT_ONCE, max_retries: 5, budget: { ratio: 0, min_retries: 3, window: "1h" } };
    const stage = await stageOf("ab", retry_policy);
    for (const origin of stage.origins) origin.mood = "unavailable";
    await stage.ask(1);
    await stage.set({ load_balancer: "least_conn" }, { retry_policy, max_body_size: 9 });
    await stage.ask(3);
    assert.equal(stage.requests, 4 + 3);
  });
});

describe("hedging", () => {
  const hedging = (delay: string, max_requests = 2) => ({ hedging: { delay, max_requests } });

  it("asks one more target when an answer is late, and takes the first", async () => {
    const stage = await stageOf("ab", hedging("30ms"));
    stage.origin("a").mood = "silent";
    assert.equal(await stage.who(4), "b");
    await eventually(() => stage.origin("a").connections === 0, "the end of what nobody waits for");
    assert.equal(count(stage, "retries"), stage.origin("a").requests);
    const late = await stageOf("ab", hedging("1ms"), { session_affinity: {} });
    for (const origin of late.origins) origin.mood = "silent";
    const asked = late.ask(1);
    await eventually(() => late.requests === 2, "both were asked");
    late.origin("a").speak();
    const cookie = /^Set-Cookie: ([^;]*)/m.exec((await asked)[0]!.text)![1]!;
    for (const origin of late.origins) origin.mood = "well";
    assert.equal(await late.who(4, `Cookie: ${cookie}`), "a", "the cookie is that of the one who answered");
  });

  it("asks nobody else when the answer is there in time, nor for a method that may not be repeated", async () => {
    const stage = await stageOf("ab", hedging("10s"));
    await stage.ask(4);
    assert.equal(stage.requests, 4);
    const slow = await stageOf("ab", hedging("1ms"), {}, { timeout_policy: { request: "100ms" } });
    for (const origin of slow.origins) origin.mood = "silent";
    assert.equal((await slow.send(post("x"))).by, "RW_UPSTREAM_TIMEOUT");
    assert.equal(slow.requests, 1);
  });

  it("asks no more than it may, and waits for those asked when one fails", async () => {
    const stage = await stageOf("abcd", hedging("1ms", 3), {}, { timeout_policy: { request: "300ms" } });
    for (const origin of stage.origins) origin.mood = "silent";
    const asked = stage.ask(1);
    await eventually(() => stage.requests === 3, "three requests");
    stage.origins.find(({ requests }) => requests === 1)!.speak();
    assert.equal((await asked)[0]!.status, 200);
    assert.equal(stage.requests, 3);
  });
});

describe("a request queue", () => {
  const ONE = { max_conns_per_host: 1 };
  async function crowded(request_queue: object | undefined, names = "a") {
    const stage = await stageOf(names, undefined);
    await stage.set(request_queue === undefined ? {} : { request_queue }, {}, names, ONE);
    for (const origin of stage.origins) origin.mood = "silent";
    return stage;
  }

  it("lets requests wait for a connection, first come first served, with their bodies", async () => {
    const stage = await crowded({});
    const clients: RawClient[] = [];
    for (const body of ["first", "second", "third"]) {
      clients.push(stage.gateway.client().send(post(body)));
      await eventually(() => stage.gateway.state.sum("activeRequests") === clients.length, "the request");
    }
    for (const client of clients) {
      await eventually(() => stage.requests === clients.indexOf(client) + 1, "its turn");
      stage.origin("a").speak();
      assert.match(await client.until(/a$/), /^HTTP\/1.1 200 /);
    }
    assert.deepEqual(stage.origin("a").bodies, ["first", "second", "third"]);
  });

  it("is not there unless asked for: a target that is full is passed over for one that is not, and then it is 503", async () => {
    for (const retries of [{}, { retry_policy: { max_retries: 1 } }]) {
      const stage = await stageOf("ab", undefined);
      await stage.set({}, retries, "ab", ONE);
      for (const origin of stage.origins) origin.mood = "silent";
      for (const _ of "ab") stage.gateway.client().get("/");
      await eventually(() => stage.requests === 2, "both are busy");
      const [answer] = await stage.ask(1);
      assert.equal(answer!.by, "RW_UPSTREAM_FULL");
      assert.equal(answer!.status, 503);
    }
  });

  it("has room for so many, and for so long", async () => {
    const stage = await crowded({ max_depth: 2, max_wait: "150ms" });
    const [, ...waiting] = Array.from({ length: 3 }, () => stage.gateway.client().get("/"));
    await eventually(() => stage.gateway.state.sum("activeRequests") === 3, "the requests");
    assert.equal((await stage.ask(1))[0]!.by, "RW_UPSTREAM_FULL");
    for (const client of waiting)
      assert.match(await client.until(/\}\n$/), /^HTTP\/1.1 503 .*Retry-After.*RW_QUEUE_TIMEOUT/s);
    assert.equal(stage.requests, 1);
  });

  it("is left by a client that goes away", async () => {
    const stage = await crowded({});
    const [first, second, third] = Array.from({ length: 3 }, () => stage.gateway.client());
    for (const client of [first!, second!, third!]) {
      client.get("/");
      await eventually(() => client.socket.bytesWritten > 0, "the request");
    }
    await eventually(() => stage.gateway.state.sum("activeRequests") === 3, "the requests");
    second!.close();
    await eventually(() => stage.gateway.state.sum("activeRequests") === 2, "the end of one");
    stage.origin("a").mood = "well";
    stage.origin("a").speak();
    assert.match(await third!.until(/a$/), /^HTTP\/1.1 200 /);
    assert.equal(stage.requests, 2);
  });

  it("keeps those that wait over a change of configuration", async () => {
    const stage = await crowded({});
    const clients = Array.from({ length: 2 }, () => stage.gateway.client().get("/"));
    await eventually(() => stage.gateway.state.sum("activeRequests") === 2, "the requests");
    await stage.set({ request_queue: {}, load_balancer: "least_conn" }, { max_body_size: 3 }, "a", ONE);
    stage.origin("a").mood = "well";
    stage.origin("a").speak();
    for (const client of clients) assert.match(await client.until(/a$/), /^HTTP\/1.1 200 /);
  });
});
