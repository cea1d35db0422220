import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { BroadcastChannel } from "node:worker_threads";
import type { Configuration } from "../config/configuration.ts";
import { systemClock } from "../core/clock.ts";
import { silentLogger, silentMeter } from "../core/ports.ts";
import { ConfigurationRefused } from "./configuration-refused.ts";
import { Supervisor } from "./supervisor.ts";
import {
  answering,
  changeOf,
  configurationOf,
  eventually,
  ok,
  RawClient,
  type RawOrigin,
} from "./testing/test-proxy.ts";

const CRASH_CHANNEL = "crash a worker of a test";
const entry = new URL("./testing/crash-worker.ts", import.meta.url);
const listeners = { http: { address: "127.0.0.1:0" } };

/** Two workers whose routes are changed one by one. */
class Changed {
  readonly proxy = new Supervisor({ workers: 2, logger: silentLogger, meter: silentMeter, clock: systemClock, entry });
  readonly clients: RawClient[] = [];
  running: Configuration = configurationOf({ listeners });

  async start(sketch: Parameters<typeof changeOf>[1]): Promise<void> {
    await this.proxy.start();
    this.running = configurationOf({ ...sketch, listeners });
    await (await this.proxy.prepare(this.running)).commit();
  }

  async change(sketch: Parameters<typeof changeOf>[1]): Promise<void> {
    const change = changeOf(this.running, sketch);
    await (await this.proxy.prepare(change.to, change)).commit();
    this.running = change.to;
  }

  client(): RawClient {
    const client = new RawClient(Number(this.proxy.listeners()[0]!.address.split(":").at(-1)));
    this.clients.push(client);
    return client;
  }

  /** What each of so many new connections is answered, without repetitions. */
  async answers(path: string, connections = 12): Promise<string[]> {
    const clients = Array.from({ length: connections }, () => this.client().get(path));
    const answers = await Promise.all(clients.map((client) => client.until(/\r\n\r\n\S+/)));
    for (const client of clients) client.close();
    return [...new Set(answers.map((answer) => /^HTTP\/1.1 404/.exec(answer)?.[0] ?? answer.split("\r\n\r\n")[1]!))];
  }
}

describe("a change of some routes and upstreams", () => {
  let origins: RawOrigin[];
  let changed: Changed;
  beforeEach(async () => {
    origins = await Promise.all(["one", "two"].map((body) => answering(ok(body)).start()));
    changed = new Changed();
  });
  afterEach(async () => {
    for (const client of changed.clients) client.close();
    await changed.proxy.stop(AbortSignal.timeout(200));
    for (const origin of origins) await origin.stop();
  });

  const to = (origin: RawOrigin, more: object = {}) => ({ backends: [{ url: origin.url }], ...more });

  it("adds, replaces and removes them in every worker", async () => {
    const [one, two] = origins as [RawOrigin, RawOrigin];
    await changed.start({ routes: { a: { path: "/a", ...to(one) }, b: { path: "/b", ...to(one) } } });
    await changed.change({ routes: { a: { path: "/a", ...to(two) }, c: { path: "/c", ...to(two) } } });
    assert.deepEqual(await changed.answers("/a"), ["two"]);
    assert.deepEqual(await changed.answers("/b"), ["HTTP/1.1 404"]);
    assert.deepEqual(await changed.answers("/c"), ["two"]);
    assert.equal(changed.proxy.status().routes, 2);
  });

  it("reaches the routes of an upstream without naming them, and leaves with it", async () => {
    const [one, two] = origins as [RawOrigin, RawOrigin];
    const routes = { a: { path: "/a", upstream: "u" }, b: { path: "/b", upstream: "u" } };
    await changed.start({ routes, upstreams: { u: to(one) } });
    await changed.change({ routes, upstreams: { u: to(two), v: to(one) } });
    assert.deepEqual(await changed.answers("/a"), ["two"]);
    await changed.change({
      routes: { a: routes.a, b: { path: "/b", upstream: "v" } },
      upstreams: { u: to(two), v: to(one) },
    });
    assert.deepEqual(await changed.answers("/b"), ["one"]);
    await changed.change({ routes: { a: routes.a, b: { path: "/b", ...to(two) } }, upstreams: { u: to(two) } });
    assert.deepEqual(await changed.answers("/b"), ["two"]);
  });

  it("leaves connections alone that its targets are not behind, and closes those of targets that are gone", async () => {
    const [one, two] = origins as [RawOrigin, RawOrigin];
    await changed.start({ routes: { a: { path: "/a", ...to(one) }, b: { path: "/b", ...to(two) } } });
    const client = changed.client();
    await client.get("/a").until(/one/);
    await client.get("/b").until(/two/);
    for (let turn = 0; turn < 20; turn++)
      await changed.change({ routes: { a: { path: "/a", ...to(one) }, x: { path: `/x${turn}`, ...to(one) } } });
    await client.get("/a").until(/one/);
    assert.equal(one.received.length, 1, "the connection to the target is still the first");
    await eventually(
      () => two.sockets.every((socket) => socket.destroyed || socket.readableEnded),
      "the other is closed",
    );
  });

  it("made a hundred times under load fails no request and resets nothing of the others", async () => {
    const [one, two] = origins as [RawOrigin, RawOrigin];
    const lasting = { a: { path: "/a", ...to(one) }, b: { path: "/b", ...to(one) } };
    await changed.start({ routes: lasting });
    const clients = Array.from({ length: 16 }, () => changed.client());
    let isOver = false;
    let answered = 0;
    const asking = clients.map(async (client, index) => {
      for (; !isOver; answered++)
        assert.match(await client.get(index % 2 === 0 ? "/a" : "/b").until(/one$/), /^HTTP\/1.1 200/);
    });
    await eventually(() => answered > 100, "the load is there");
    const connections = one.received.length;
    const kinds = [{ x: { path: "/x", ...to(two) } }, { x: { path: "/y", ...to(two) } }, {}];
    for (let turn = 0; turn < 100; turn++) {
      const before = answered;
      await changed.change({ routes: { ...lasting, ...kinds[turn % kinds.length] } });
      await eventually(() => answered > before, "requests are answered between two changes");
    }
    isOver = true;
    await Promise.all(asking);
    assert.ok(
      clients.every(({ isClosed }) => !isClosed),
      "no connection of a client was closed",
    );
    assert.ok(
      one.received.length <= Math.max(connections, clients.length),
      "no connection to the target was opened anew",
    );
    await eventually(() => changed.proxy.status().activeRequests === 0, "all is over");
    assert.equal(changed.proxy.status().requestsTotal, answered);
    assert.equal(changed.proxy.status().failuresTotal, 0);
  });

  it("changes nothing anywhere when a worker cannot have it, or when it is not committed", async () => {
    const [one] = origins as [RawOrigin, RawOrigin];
    const routes = { a: { path: "/a", ...to(one) } };
    await changed.start({ routes });
    const wrong = changeOf(changed.running, { routes: { b: { path: "/a", upstream: "nowhere" } } });
    await assert.rejects(changed.proxy.prepare(wrong.to, wrong), ConfigurationRefused);
    const unwanted = changeOf(changed.running, { routes: { b: { path: "/b", ...to(one) } } });
    await (await changed.proxy.prepare(unwanted.to, unwanted)).abort();
    assert.deepEqual(await changed.answers("/a"), ["one"]);
    assert.deepEqual(await changed.answers("/b"), ["HTTP/1.1 404"]);
    await changed.change({ routes: { ...routes, b: { path: "/b", ...to(one) } } });
    assert.deepEqual(await changed.answers("/b"), ["one"]);
  });

  it("reaches a worker that is being replaced meanwhile", async () => {
    const [one] = origins as [RawOrigin, RawOrigin];
    const many = Object.fromEntries(Array.from({ length: 3_000 }, (_, n) => [`m${n}`, { path: `/m${n}`, ...to(one) }]));
    await changed.start({ routes: many });
    const channel = new BroadcastChannel(CRASH_CHANNEL);
    channel.unref(); // Should the test fail, its process is to end all the same.
    channel.postMessage(1);
    channel.close();
    await eventually(() => changed.proxy.status().workers[1]!.state !== "running", "the crash");
    let turns = 0;
    for (; changed.proxy.status().workers[1]!.state !== "running"; turns++)
      await changed.change({ routes: { ...many, last: { path: `/turn${turns}`, ...to(one) } } });
    assert.ok(turns > 3, "the changes came while it was loaded");
    assert.deepEqual(await changed.answers(`/turn${turns - 1}`, 40), ["one"]);
    assert.deepEqual(await changed.answers(`/turn${turns - 2}`, 40), ["HTTP/1.1 404"]);
    assert.deepEqual(await changed.answers("/m2999", 40), ["one"]);
  });
});
