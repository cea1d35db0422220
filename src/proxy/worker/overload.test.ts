import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { silentLogger, silentMeter } from "../../core/ports.ts";
import { Supervisor } from "../supervisor.ts";
import { answering, configurationOf, eventually, ok, RawClient, RawOrigin, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(deadline: AbortSignal): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop(AbortSignal.timeout(200));
});

const routesTo = (url: string) => ({ all: { path: "/", path_prefix: true, backends: [{ url }] } });

describe("a gateway that is overloaded", () => {
  it("refuses new requests while its event loop does not keep up, finishes those begun, and serves again", async () => {
    const held: (() => void)[] = [];
    const origin = await new RawOrigin((socket) => held.push(() => socket.write(ok("hi")))).start();
    const proxy = new TestProxy();
    open.push(origin, proxy);
    const settings = { overload_protection: { max_event_loop_lag: "30ms", retry_after: "1500ms" } };
    await proxy.apply({ routes: routesTo(origin.url), settings });
    const early = proxy.client().get("/early");
    await eventually(() => held.length === 1, "a request is in flight");

    let isBusy = true;
    const work = (): void => {
      const untilMs = performance.now() + 100;
      while (performance.now() < untilMs);
      if (isBusy) setImmediate(work);
    };
    work();
    await eventually(() => proxy.worker.isOverloaded, "the overload is seen");
    const answer = await proxy.client().get("/late").until(/\}\n$/);
    assert.match(answer, /^HTTP\/1\.1 503 .*Retry-After: 2\r\n.*RW_OVERLOADED/s);
    held[0]!();
    await early.until(/200 OK.*hi$/s);
    assert.equal(held.length, 1, "the refused request was not sent on");
    assert.equal(proxy.state.sum("requestsShed"), 1);

    isBusy = false;
    await eventually(() => !proxy.worker.isOverloaded, "the end of the overload");
    const again = proxy.client().get("/again");
    await eventually(() => held.length === 2, "requests are sent on again");
    held[1]!();
    await again.until(/hi$/);
  });

  it("refuses new requests in every worker while memory is nearly used up, and says so", async () => {
    const origin = await answering(ok("hi")).start();
    open.push(origin);
    let usedBytes = 50;
    const parts = { workers: 2, logger: silentLogger, meter: silentMeter, clock: systemClock };
    const proxy = new Supervisor({ ...parts, memory: () => ({ usedBytes, limitBytes: 100 }) });
    open.push(proxy);
    await proxy.start();
    await (await proxy.prepare(configurationOf({ routes: routesTo(origin.url) }))).commit();
    const port = Number(proxy.listeners()[0]!.address.split(":").at(-1));
    /** Until eight connections in a row, so most likely of both workers, are answered so. */
    const served = async (pattern: RegExp) => {
      const untilMs = performance.now() + 10_000;
      for (let inARow = 0; inARow < 8; ) {
        const answer = await new RawClient(port).get("/", "Connection: close").untilClosed();
        inARow = pattern.test(answer) ? inARow + 1 : 0;
        assert.ok(performance.now() < untilMs, `never answered with ${pattern}`);
      }
    };
    await served(/200 OK/);
    assert.deepEqual(proxy.status().overload, []);
    usedBytes = 95;
    await served(/503 .*RW_OVERLOADED/s);
    assert.deepEqual(proxy.status().overload, ["memory"]);
    usedBytes = 50;
    await served(/200 OK/);
    assert.deepEqual(proxy.status().overload, []);
  });
});
