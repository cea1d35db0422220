import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { DnsResolverSpec } from "../../../config/resources/dns-resolver.ts";
import { type Clock, systemClock } from "../../../core/clock.ts";
import { silentLogger } from "../../../core/ports.ts";
import { answering, ok, type RawOrigin, TestProxy } from "../../testing/test-proxy.ts";
import { NameServer } from "../testing/name-server.ts";
import { NameResolver } from "./name-resolver.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function resolving(settings: object = {}) {
  const server = await new NameServer().start();
  open.push(server);
  let nowMs = 0;
  const clock: Clock = { ...systemClock, monotonicMs: () => nowMs };
  const resolver = new NameResolver(clock, silentLogger);
  resolver.configure(DnsResolverSpec.parse({ nameservers: [server.address], ...settings }));
  const first = async () => (await resolver.resolve("orders.test"))[0]!.address;
  const pass = (ms: number) => {
    nowMs += ms;
  };
  return { server, resolver, first, pass };
}

describe("the name of a target", () => {
  it("is resolved again when its time to live is over, and not before", async () => {
    const { server, first, pass } = await resolving();
    server.ttl = 10;
    server.addresses = ["127.0.0.1"];
    assert.equal(await first(), "127.0.0.1");
    server.addresses = ["127.0.0.2"];
    pass(9_999);
    assert.equal(await first(), "127.0.0.1");
    pass(1);
    assert.equal(await first(), "127.0.0.2");
    assert.equal(server.queries, 2);
  });

  it("gives each connection another of several addresses to begin with, and all to go on to", async () => {
    const { server, resolver } = await resolving();
    server.ttl = 60;
    server.addresses = ["127.0.0.1", "127.0.0.2", "127.0.0.3"];
    const firsts = new Set<string>();
    for (let turn = 0; turn < 3; turn++) {
      const addresses = await resolver.resolve("orders.test");
      firsts.add(addresses[0]!.address);
      assert.deepEqual(addresses.map(({ address }) => address).sort(), server.addresses);
    }
    assert.equal(firsts.size, 3);
  });

  it("keeps its last addresses while it cannot be resolved, but not for ever", async () => {
    const { server, first, pass } = await resolving({ keep_stale: "30s" });
    server.ttl = 10;
    server.addresses = ["127.0.0.1"];
    await first();
    server.isBroken = true;
    pass(39_999);
    assert.equal(await first(), "127.0.0.1");
    pass(1);
    await assert.rejects(first());
    server.isBroken = false;
    assert.equal(await first(), "127.0.0.1");
  });

  it("is asked for once by all who want it at a time", async () => {
    const { server, first } = await resolving();
    server.addresses = ["127.0.0.1"];
    await Promise.all(Array.from({ length: 20 }, first));
    assert.equal(server.queries, 1);
  });

  it("that does not exist fails the request with 502, and works as soon as it does", async () => {
    const { server } = await resolving();
    const origin: RawOrigin = await answering(ok("hi")).start();
    const gateway = new TestProxy();
    open.push(origin, gateway);
    await gateway.apply({
      routes: { all: { path: "/", path_prefix: true, backends: [{ url: `http://orders.test:${origin.port}` }] } },
      settings: { dns_resolver: { nameservers: [server.address] } },
    });
    assert.match(await gateway.client().get("/").until(/\}\n$/), /^HTTP\/1.1 502 .*RW_UPSTREAM_REFUSED/s);
    server.addresses = ["127.0.0.1"];
    assert.match(await gateway.client().get("/").until(/hi$/), /^HTTP\/1.1 200 /);
  });
});
