import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { silentLogger, silentMeter } from "../../core/ports.ts";
import { Supervisor } from "../supervisor.ts";
import { configurationOf, eventually, RawClient } from "../testing/test-proxy.ts";
import { MoodyOrigin } from "./testing/moody-origin.ts";

const open: { stop(deadline: AbortSignal): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop(AbortSignal.timeout(200));
});

async function start(policy: object, route: object = {}) {
  const origin = await new MoodyOrigin("a").start();
  const other = await new MoodyOrigin("b").start();
  const proxy = new Supervisor({ workers: 2, logger: silentLogger, meter: silentMeter, clock: systemClock });
  open.push(origin, other, proxy);
  await proxy.start();
  const apply = async (names: readonly MoodyOrigin[]) => {
    const upstreams = { u: { backends: names.map(({ url }) => ({ url })), ...policy } };
    const routes = { r: { path: "/", path_prefix: true, upstream: "u", ...route } };
    await (await proxy.prepare(configurationOf({ upstreams, routes }))).commit();
  };
  const port = () => Number(proxy.listeners()[0]!.address.split(":").at(-1));
  return { origin, other, proxy, apply, port };
}

/** Requests one after another, each on a connection of its own, which both workers take. */
async function ask(port: number, count: number): Promise<string[]> {
  const answers: string[] = [];
  for (let n = 0; n < count; n++) {
    const client = new RawClient(port).get("/", "Connection: close");
    answers.push(await client.untilClosed());
  }
  return answers;
}

describe("what two workers know together", () => {
  it("is the failures that open a circuit breaker: so many in a row over both, not each", async () => {
    const { origin, proxy, apply, port } = await start({ circuit_breaker: { failure_threshold: 6, timeout: "5m" } });
    await apply([origin]);
    origin.mood = "failing";
    const answers = await ask(port(), 30);
    assert.equal(origin.requests, 6);
    assert.equal(answers.filter((text) => text.includes("RW_CIRCUIT_OPEN")).length, 24);
    assert.equal(proxy.upstreams.status("upstream:u")!.targets[0]!.circuit!.state, "open");
  });

  it("is the retry budget: with the target down, both together make no more attempts than it has", async () => {
    const retry_policy = { max_retries: 5, initial_backoff: "0s", budget: { ratio: 0, min_retries: 7, window: "1h" } };
    const { origin, apply, port } = await start({}, { retry_policy });
    await apply([origin]);
    origin.mood = "unavailable";
    await Promise.all([ask(port(), 15), ask(port(), 15)]);
    assert.equal(origin.requests, 30 + 7);
  });

  it("is what checks found, which one node asks once, whatever the number of its workers", async () => {
    const check = { interval: "100ms", timeout: "100ms", healthy_after: 1, unhealthy_after: 1 };
    const { origin, other, proxy, apply, port } = await start({ health_check: check });
    other.mood = "failing";
    await apply([origin, other]);
    const health = () => proxy.upstreams.status("upstream:u")!.targets.map((target) => target.health);
    await eventually(() => health().join() === "healthy,unhealthy", "the findings");
    assert.ok(origin.checks <= 2, `${origin.checks} checks`);
    await ask(port(), 20);
    assert.equal(origin.requests, 20);
    assert.equal(other.requests, 0);
  });

  it("is which targets there are: one that is taken out finishes what it has, gets nothing more, and loses its connections", async () => {
    const { origin, other, apply, port } = await start({});
    await apply([origin, other]);
    other.mood = "silent";
    const clients = Array.from({ length: 8 }, () => new RawClient(port()).get("/"));
    await eventually(() => other.requests + origin.requests === 8 && other.requests > 0, "the requests");
    const inFlight = other.requests;
    await apply([origin]);
    await ask(port(), 20);
    assert.equal(other.requests, inFlight, "nothing new");
    other.speak();
    for (const client of clients) assert.match(await client.until(/[ab]$/), /^HTTP\/1.1 200 /);
    await eventually(() => other.connections === 0, "the end of its connections");
  });
});
