import assert from "node:assert/strict";
import { Agent, request } from "node:http";
import { createServer } from "node:net";
import { afterEach, describe, it } from "node:test";
import { BroadcastChannel } from "node:worker_threads";
import { systemClock } from "../core/clock.ts";
import { type Logger, type MetricDefinition, silentLogger, silentMeter } from "../core/ports.ts";
import { ConfigurationRefused } from "./configuration-refused.ts";
import { type ApplyTimings, Supervisor, type SupervisorOptions } from "./supervisor.ts";
import {
  answering,
  configurationOf,
  eventually,
  freePort,
  ok,
  RawClient,
  RawOrigin,
  type Sketch,
} from "./testing/test-proxy.ts";

const CRASH_CHANNEL = "crash a worker of a test";
const crashEntry = new URL("./testing/crash-worker.ts", import.meta.url);

const open: { stop(deadline: AbortSignal): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop(AbortSignal.timeout(200));
});

async function origin(made: RawOrigin): Promise<RawOrigin> {
  open.push(await made.start());
  return made;
}

async function supervisor(options: Partial<SupervisorOptions> = {}): Promise<Supervisor> {
  const made = new Supervisor({ workers: 2, logger: silentLogger, meter: silentMeter, clock: systemClock, ...options });
  open.push(made);
  await made.start();
  return made;
}

async function apply(proxy: Supervisor, sketch: Sketch): Promise<ApplyTimings> {
  return (await proxy.prepare(configurationOf(sketch))).commit();
}

const routesTo = (url: string, more: object = {}) => ({
  all: { path: "/", path_prefix: true, backends: [{ url }], ...more },
});

function portOf(proxy: Supervisor, id = "http"): number {
  return Number(
    proxy
      .listeners()
      .find((listener) => listener.id === id)!
      .address.split(":")
      .at(-1),
  );
}

/** The status, or the error, of one GET. */
function get(port: number, agent?: Agent): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const sent = request({ port, host: "127.0.0.1", ...(agent === undefined ? {} : { agent }) }, (response) => {
    response.resume();
    response.on("end", () => resolve(String(response.statusCode)));
    response.on("error", (error) => resolve(String(error)));
  });
  sent.on("error", (error) => resolve(String(error)));
  sent.end();
  return promise;
}

/** Keeps requests going on some connections until stopped; tells what was not answered 200. */
class Load {
  answered = 0;
  readonly failures: string[] = [];
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 8 });
  readonly #loops: Promise<void>[];
  #isOver = false;

  constructor(port: number) {
    this.#loops = Array.from({ length: 8 }, () => this.#loop(port));
  }

  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#loops);
    this.#agent.destroy();
  }

  async #loop(port: number): Promise<void> {
    while (!this.#isOver) {
      const status = await get(port, this.#agent);
      if (status === "200") this.answered++;
      else this.failures.push(status);
    }
  }
}

describe("the supervisor", () => {
  it("serves on every listener and tells how things are", async () => {
    const upstream = await origin(answering(ok("hi")));
    const proxy = await supervisor();
    const timings = await apply(proxy, {
      routes: routesTo(upstream.url),
      listeners: { a: { address: "127.0.0.1:0" }, b: { address: "127.0.0.1:0" } },
    });
    for (const phase of Object.values(timings)) assert.ok(phase >= 0);
    for (const id of ["a", "b"]) assert.equal(await get(portOf(proxy, id)), "200");
    await eventually(() => proxy.status().requestsTotal === 2, "both are counted");
    const { routes, failuresTotal, latency, workers, listeners } = proxy.status();
    assert.deepEqual([routes, failuresTotal, workers.length, listeners.length], [1, 0, 2, 2]);
    assert.deepEqual(workers[0], { id: 0, state: "running", restarts: 0 });
    assert.ok(latency.p50Ms > 0 && latency.p99Ms >= latency.p50Ms);
    assert.deepEqual(proxy.takeLatency(), latency);
    assert.deepEqual(proxy.takeLatency(), { p50Ms: 0, p99Ms: 0 });
  });

  it("refuses a configuration whose address is taken, and nothing has changed", async () => {
    const taken = createServer().listen(0, "127.0.0.1");
    await eventually(() => taken.listening, "the other program listens");
    const { port } = taken.address() as { port: number };
    const upstream = await origin(answering(ok("hi")));
    const proxy = await supervisor();
    await apply(proxy, { routes: routesTo(upstream.url) });
    const free = await freePort();
    const refused = configurationOf({
      listeners: {
        http: { address: "127.0.0.1:0" },
        more: { address: `127.0.0.1:${free}` },
        taken: { address: `127.0.0.1:${port}` },
      },
    });
    await assert.rejects(proxy.prepare(refused), (error) => {
      assert.ok(error instanceof ConfigurationRefused);
      assert.equal(error.kind, "configurationRefused");
      assert.deepEqual(
        error.problems.map(({ kind, id, path }) => ({ kind, id, path })),
        [{ kind: "listener", id: "taken", path: "listeners[2].address" }],
      );
      assert.match(
        error.problems[0]!.message,
        new RegExp(`^cannot listen on 127\\.0\\.0\\.1:${port}: address already in use`),
      );
      return true;
    });
    assert.equal(await get(portOf(proxy)), "200", "the routes are the old ones");
    assert.match(await get(free), /ECONNREFUSED/);
    assert.equal(proxy.listeners().length, 1);
    await new Promise((closed) => taken.close(closed));
    await (await proxy.prepare(refused)).commit();
    assert.equal(await get(port), "404");
  });

  it("refuses what cannot be compiled, and no worker is lost", async () => {
    const upstream = await origin(answering(ok("hi")));
    const proxy = await supervisor();
    await apply(proxy, { routes: routesTo(upstream.url) });
    const broken = configurationOf({
      routes: { ...routesTo(upstream.url), lost: { path: "/lost", upstream: "nowhere" } },
    });
    await assert.rejects(proxy.prepare(broken), (error) => {
      assert.ok(error instanceof ConfigurationRefused);
      const message = "there is no upstream nowhere";
      assert.deepEqual(error.problems, [{ kind: "route", id: "lost", path: "upstream", message }]);
      return true;
    });
    assert.equal(await get(portOf(proxy)), "200");
    assert.ok(proxy.status().workers.every(({ state, restarts }) => state === "running" && restarts === 0));
  });

  it("shows nothing of a prepared configuration before its commit, nor after its abort", async () => {
    const upstream = await origin(answering(ok("hi")));
    const proxy = await supervisor();
    const port = await freePort();
    const sketch = { routes: routesTo(upstream.url), listeners: { http: { address: `127.0.0.1:${port}` } } };
    const first = await proxy.prepare(configurationOf(sketch));
    const early = new RawClient(port).get("/", "Connection: close");
    await first.abort();
    assert.equal(await early.untilClosed(), "");
    assert.match(await get(port), /ECONNREFUSED/);
    const second = await proxy.prepare(configurationOf(sketch));
    const third = await proxy.prepare(configurationOf(sketch));
    await assert.rejects(second.commit());
    const waiting = new RawClient(port).get("/", "Connection: close");
    await third.commit();
    assert.match(await waiting.untilClosed(), /200 OK/, "who came before the commit is served after it");
  });

  it("changes listeners, settings and routes under load without a failed request", async () => {
    const upstream = await origin(answering(ok("hi")));
    const proxy = await supervisor();
    const http = { address: "127.0.0.1:0" };
    const base: Sketch = { routes: routesTo(upstream.url), listeners: { http } };
    await apply(proxy, base);
    const port = portOf(proxy);
    const load = new Load(port);
    const changes: Sketch[] = [
      { ...base, listeners: { http, more: { address: "127.0.0.1:0" } } },
      { ...base, listeners: { http: { ...http, http: { max_header_bytes: 4_096 } } } },
      { ...base, routes: { ...base.routes, other: { path: "/other", backends: [{ url: upstream.url }] } } },
      { ...base, settings: { transport: { max_idle_conns_per_host: 1 } } },
    ];
    for (const change of [...changes, ...changes, base]) {
      const before = load.answered;
      await apply(proxy, change);
      await eventually(() => load.answered > before + 20, "the load goes on");
    }
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.equal(portOf(proxy), port);
    const long = new RawClient(port).get("/", `X: ${"a".repeat(5_000)}`);
    await long.until(/200 OK.*hi$/s);
    await apply(proxy, changes[1]!);
    long.get("/", `X: ${"a".repeat(5_000)}`);
    assert.match(await long.untilClosed(), /RW_HEADER_TOO_LARGE/, "changed limits hold on connections that are there");
  });

  it("moves a listener to another address, and lets what is in flight on the old one finish", async () => {
    const held: (() => void)[] = [];
    const upstream = await origin(new RawOrigin((socket) => held.push(() => socket.write(ok("hi")))));
    const proxy = await supervisor();
    await apply(proxy, { routes: routesTo(upstream.url), listeners: { http: { address: "127.0.0.1:0" } } });
    const old = portOf(proxy);
    const client = new RawClient(old).get("/");
    await eventually(() => held.length === 1, "the request is in flight");
    const next = await freePort();
    await apply(proxy, { routes: routesTo(upstream.url), listeners: { http: { address: `127.0.0.1:${next}` } } });
    assert.match(await get(old), /ECONNREFUSED/);
    held[0]!();
    assert.match(await client.untilClosed(), /200 OK.*Connection: close.*hi$/s);
    const moved = new RawClient(next).get("/");
    await eventually(() => held.length === 2, "the new address is served");
    held[1]!();
    await moved.until(/hi$/);
    await apply(proxy, { routes: routesTo(upstream.url), listeners: { renamed: { address: `127.0.0.1:${next}` } } });
    moved.get("/");
    await eventually(() => held.length === 3, "a new name does not disturb the connections");
    moved.close();
  });

  it("replaces a worker that crashes, with the configuration in effect, while the others serve on", async () => {
    const upstream = await origin(answering(ok("hi")));
    const errors: string[] = [];
    const logger: Logger = { ...silentLogger, error: (message) => errors.push(message), child: () => logger };
    const restarts: MetricDefinition[] = [];
    const meter = { ...silentMeter, observeCounter: (metric: MetricDefinition) => void restarts.push(metric) };
    const proxy = await supervisor({ entry: crashEntry, logger, meter });
    await apply(proxy, { routes: routesTo(upstream.url) });
    const port = portOf(proxy);
    const channel = new BroadcastChannel(CRASH_CHANNEL);
    channel.unref(); // Should the test fail, its process is to end all the same.
    channel.postMessage(0);
    await eventually(() => proxy.status().workers[0]!.state !== "running", "the crash");
    assert.equal(await get(port), "200");
    await apply(proxy, {
      routes: { ...routesTo(upstream.url), more: { path: "/more", backends: [{ url: upstream.url }] } },
    });
    await eventually(() => proxy.status().workers[0]!.state === "running", "the replacement");
    assert.deepEqual(proxy.status().workers[0], { id: 0, state: "running", restarts: 1 });
    assert.ok(errors.some((message) => message.includes("crashed")));
    channel.postMessage(1);
    await eventually(() => proxy.status().workers[1]!.state !== "running", "the other crashes too");
    // A connection that the kernel had given to the one that crashed is lost with it.
    assert.ok([await get(port), await get(port)].includes("200"), "the replacement serves");
    assert.ok(restarts.some(({ name }) => name === "runway_worker_restarts_total"));
    channel.close();
  });

  it("stops when what is in flight is finished", async () => {
    const held: (() => void)[] = [];
    const upstream = await origin(new RawOrigin((socket) => held.push(() => socket.write(ok("hi")))));
    const proxy = await supervisor();
    await apply(proxy, { routes: routesTo(upstream.url) });
    const port = portOf(proxy);
    const idle = new RawClient(port);
    const busy = new RawClient(port).get("/");
    await eventually(() => held.length === 1, "the request is in flight");
    const stopped = proxy.stop(AbortSignal.timeout(5_000));
    assert.equal(await idle.untilClosed(), "");
    assert.match(await get(port), /ECONNREFUSED/);
    held[0]!();
    assert.match(await busy.untilClosed(), /200 OK.*Connection: close.*hi$/s);
    await stopped;
    await proxy.stop(AbortSignal.timeout(1));
    assert.ok(proxy.status().workers.every(({ state }) => state === "stopped"));
  });

  it("drops at the deadline what is still in flight", async () => {
    const upstream = await origin(new RawOrigin(() => {}));
    const proxy = await supervisor();
    await apply(proxy, { routes: routesTo(upstream.url) });
    const client = new RawClient(portOf(proxy)).get("/");
    await eventually(() => upstream.received.length === 1, "the request is in flight");
    await proxy.stop(AbortSignal.timeout(100));
    assert.equal(await client.untilClosed(), "");
  });

  it("compiles a large configuration without keeping requests waiting", async () => {
    const upstream = await origin(answering(ok("hi")));
    const proxy = await supervisor({ workers: 1 });
    await apply(proxy, { routes: routesTo(upstream.url) });
    const routes: Record<string, unknown> = { ...routesTo(upstream.url) };
    for (let n = 0; n < 5_000; n++) routes[`r${n}`] = { path: `/r/${n}`, backends: [{ url: upstream.url }] };
    const large = configurationOf({ routes });
    const load = new Load(portOf(proxy));
    await eventually(() => load.answered > 20, "the load has begun");
    const prepared = proxy.prepare(large);
    let answeredMeanwhile = -load.answered;
    await (await prepared).commit();
    answeredMeanwhile += load.answered;
    await load.stop();
    assert.deepEqual(load.failures, []);
    assert.ok(answeredMeanwhile > 0, "requests were answered meanwhile");
    assert.equal(proxy.status().routes, 5_001);
  });
});

describe("a tunnel", () => {
  it("lives on while the proxy stops, until the time for that is over", async () => {
    const upstream = await origin(echoingAfterSwitch());
    const proxy = await supervisor();
    await apply(proxy, { routes: routesTo(upstream.url) });
    const client = new RawClient(portOf(proxy));
    await client.get("/", "Connection: Upgrade", "Upgrade: websocket").until(/^HTTP\/1.1 101 .*\r\n\r\n/s);
    const deadline = new AbortController();
    const stopped = proxy.stop(deadline.signal);
    await eventually(() => proxy.status().workers.every(({ state }) => state === "stopped"), "the stop has begun");
    for (const text of ["ab", "cd"]) await client.send(text).until(new RegExp(`^${text}$`));
    assert.equal(client.isClosed, false);
    deadline.abort();
    await stopped;
    await client.untilClosed();
  });
});

function echoingAfterSwitch(): RawOrigin {
  const answer = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
  return new RawOrigin((socket, all) => socket.write(all.endsWith("\r\n\r\n") ? answer : all.slice(-2)));
}
