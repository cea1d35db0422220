import assert from "node:assert/strict";
import { once } from "node:events";
import { Agent, createServer, get, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import { systemClock } from "../../../core/clock.ts";
import { silentLogger, silentMeter } from "../../../core/ports.ts";
import { Supervisor } from "../../supervisor.ts";
import { changeOf, configurationOf, eventually, type Sketch } from "../../testing/test-proxy.ts";
import { NameServer } from "../testing/name-server.ts";

const open: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Origins on one port of several addresses, each of which answers with its address and the Host that it was given. */
async function origins(
  ...addresses: readonly string[]
): Promise<{ readonly port: number; readonly servers: Server[] }> {
  const servers: Server[] = [];
  let port = 0;
  for (const address of addresses) {
    const server = createServer(({ headers, url }, response) => {
      response.statusCode = url === "/health" && ill.has(address) ? 500 : 200;
      response.end(`${address} as ${headers.host}`);
    });
    server.listen(port, address);
    await once(server, "listening");
    port = (server.address() as AddressInfo).port;
    servers.push(server);
    open.push(() => new Promise((closed) => server.close(closed).closeAllConnections()));
  }
  return { port, servers };
}

const ill = new Set<string>();

class Stage {
  readonly names = new NameServer();
  readonly supervisor = new Supervisor({ workers: 1, logger: silentLogger, meter: silentMeter, clock: systemClock });
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 1 });

  static async open(): Promise<Stage> {
    const stage = new Stage();
    await stage.names.start();
    await stage.supervisor.start();
    open.push(() => stage.names.stop());
    open.push(() => stage.supervisor.stop(AbortSignal.timeout(200)));
    open.push(async () => stage.#agent.destroy());
    return stage;
  }

  sketch(backend: object, policy: object = {}, routes: object = {}): Sketch {
    return {
      upstreams: { u: { backends: [backend], ...policy } },
      routes: { all: { path: "/", path_prefix: true, upstream: "u" }, ...routes },
      settings: { dns_resolver: { nameservers: [this.names.address], refresh: "100ms", timeout: "1s" } },
    };
  }

  async apply(sketch: Sketch): Promise<void> {
    await (await this.supervisor.prepare(configurationOf(sketch))).commit();
  }

  async ask(path = "/"): Promise<string> {
    const port = Number(this.supervisor.listeners()[0]!.address.split(":").at(-1));
    const [response] = (await once(get({ host: "127.0.0.1", port, path, agent: this.#agent }), "response")) as [
      IncomingMessage,
    ];
    const body = (await response.toArray()).join("");
    return response.statusCode === 200 ? body : `${response.statusCode} ${JSON.parse(body).code}`;
  }

  async answers(count: number): Promise<string[]> {
    const all: string[] = [];
    for (let n = 0; n < count; n++) all.push(await this.ask());
    return all.sort();
  }

  /** Resolves once so many requests are answered like this. */
  async untilAnswered(...expected: readonly string[]): Promise<void> {
    let last: string[] = [];
    for (let tries = 0; tries < 300; tries++) {
      last = await this.answers(expected.length);
      if (JSON.stringify(last) === JSON.stringify([...expected].sort())) return;
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    assert.deepEqual(last, [...expected].sort());
  }
}

describe("a backend that stands for the addresses of its name", () => {
  it("is a target for each, called by the name, and follows the name", async () => {
    const { port } = await origins("127.0.0.1", "127.0.0.2", "127.0.0.3");
    const stage = await Stage.open();
    stage.names.addresses = ["127.0.0.1", "127.0.0.2"];
    await stage.apply(stage.sketch({ url: `http://orders.test:${port}`, discover: "addresses" }));
    const [one, two, three] = [1, 2, 3].map((n) => `127.0.0.${n} as orders.test:${port}`) as [string, string, string];
    assert.deepEqual(await stage.answers(4), [one, one, two, two]);
    stage.names.addresses = ["127.0.0.2", "127.0.0.3"];
    await stage.untilAnswered(two, two, three, three);
  });

  it("keeps the connections to those that stay", async () => {
    const { port, servers } = await origins("127.0.0.1", "127.0.0.2");
    const stage = await Stage.open();
    let connections = 0;
    servers[0]!.on("connection", () => connections++);
    stage.names.addresses = ["127.0.0.1"];
    await stage.apply(stage.sketch({ url: `http://orders.test:${port}`, discover: "addresses" }));
    const [one, two] = [1, 2].map((n) => `127.0.0.${n} as orders.test:${port}`) as [string, string];
    assert.deepEqual(await stage.answers(2), [one, one]);
    stage.names.addresses = ["127.0.0.1", "127.0.0.2"];
    await stage.untilAnswered(one, two);
    assert.equal(connections, 1);
  });

  it("has each of them checked by itself, under its name", async () => {
    const { port } = await origins("127.0.0.1", "127.0.0.2");
    ill.add("127.0.0.2");
    open.push(async () => ill.clear());
    const stage = await Stage.open();
    stage.names.addresses = ["127.0.0.1", "127.0.0.2"];
    const health_check = { interval: "30ms", timeout: "30ms", unhealthy_after: 1 };
    await stage.apply(stage.sketch({ url: `http://orders.test:${port}`, discover: "addresses" }, { health_check }));
    const one = `127.0.0.1 as orders.test:${port}`;
    await stage.untilAnswered(one, one, one, one);
    const { targets } = stage.supervisor.upstreams.status("upstream:u")!;
    assert.deepEqual(targets.map(({ backend, foundAt, health }) => ({ backend, foundAt, health })).at(-1), {
      backend: 0,
      foundAt: `http://127.0.0.2:${port}`,
      health: "unhealthy",
    });
  });

  it("is used as it was found last while its name cannot be resolved, and by its name where it never could be", async () => {
    const { port } = await origins("127.0.0.1");
    const stage = await Stage.open();
    stage.names.isBroken = true;
    await stage.apply(stage.sketch({ url: `http://orders.test:${port}`, discover: "addresses" }));
    assert.equal(await stage.ask(), "502 RW_UPSTREAM_REFUSED");
    stage.names.isBroken = false;
    stage.names.addresses = ["127.0.0.1"];
    const one = `127.0.0.1 as orders.test:${port}`;
    await stage.untilAnswered(one);
    stage.names.isBroken = true;
    const asked = stage.names.queries;
    await eventually(() => stage.names.queries > asked + 2, "more questions");
    assert.equal(await stage.ask(), one);
  });

  it("stays what it was found to be over changes of other things", async () => {
    const { port } = await origins("127.0.0.1", "127.0.0.2");
    const stage = await Stage.open();
    stage.names.addresses = ["127.0.0.1", "127.0.0.2"];
    const before = stage.sketch({ url: `http://orders.test:${port}`, discover: "addresses" });
    const configuration = configurationOf(before);
    await (await stage.supervisor.prepare(configuration)).commit();
    const more = { path: "/more", upstream: "u" };
    const change = changeOf(configuration, { ...before, routes: { ...before.routes, more } });
    await (await stage.supervisor.prepare(change.to, change)).commit();
    const [one, two] = [1, 2].map((n) => `127.0.0.${n} as orders.test:${port}`) as [string, string];
    assert.deepEqual([await stage.ask("/more"), await stage.ask("/more")].sort(), [one, two]);
    stage.names.addresses = ["127.0.0.2"];
    await stage.untilAnswered(two, two);
  });
});

describe("a backend that stands for the services of its name", () => {
  const at = (port: number, weight: number, priority = 0) => ({ target: "host.test", port, weight, priority });

  it("is a target for each of the lowest priority, with its port and weight", async () => {
    const [a, b, c] = [await origins("127.0.0.1"), await origins("127.0.0.1"), await origins("127.0.0.1")];
    const stage = await Stage.open();
    stage.names.addresses = ["127.0.0.1"];
    stage.names.services = [at(a.port, 3), at(b.port, 1), at(c.port, 1, 10)];
    await stage.apply(stage.sketch({ url: "http://_http._tcp.orders.test", discover: "srv" }));
    const [atA, atB, atC] = [a, b, c].map(({ port }) => `127.0.0.1 as host.test:${port}`) as [string, string, string];
    assert.deepEqual(await stage.answers(4), [atA, atA, atA, atB].sort());
    stage.names.services = [at(c.port, 1, 10)];
    await stage.untilAnswered(atC, atC);
  });

  it("is no target while there is none", async () => {
    const { port } = await origins("127.0.0.1");
    const stage = await Stage.open();
    stage.names.addresses = ["127.0.0.1"];
    await stage.apply(stage.sketch({ url: "http://_http._tcp.orders.test", discover: "srv" }));
    assert.equal(await stage.ask(), "503 RW_NO_TARGET");
    stage.names.services = [at(port, 0)];
    await stage.untilAnswered(`127.0.0.1 as host.test:${port}`);
  });
});
