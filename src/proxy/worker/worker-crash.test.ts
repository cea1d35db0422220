import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { BroadcastChannel } from "node:worker_threads";
import { systemClock } from "../../core/clock.ts";
import { type Logger, silentLogger, silentMeter } from "../../core/ports.ts";
import { Supervisor } from "../supervisor.ts";
import { configurationOf, eventually, ok, RawClient, RawOrigin } from "../testing/test-proxy.ts";

const CRASH_CHANNEL = "crash a worker of a test";
const entry = new URL("../testing/crash-worker.ts", import.meta.url);

const open: { stop(deadline: AbortSignal): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop(AbortSignal.timeout(200));
});

async function supervisor(origin: RawOrigin, logger: Logger = silentLogger): Promise<Supervisor> {
  open.push(await origin.start());
  const proxy = new Supervisor({ workers: 2, logger, meter: silentMeter, clock: systemClock, entry });
  open.push(proxy);
  await proxy.start();
  const routes = { all: { path: "/", path_prefix: true, backends: [{ url: origin.url }] } };
  await (await proxy.prepare(configurationOf({ routes }))).commit();
  return proxy;
}

const portOf = (proxy: Supervisor) => Number(proxy.listeners()[0]!.address.split(":").at(-1));

describe("a worker that crashes", () => {
  it("costs only what is in flight there; connections of the other worker notice nothing", async () => {
    const origin = new RawOrigin((socket, all) => {
      if (all.endsWith("\r\n\r\n") && !all.includes("/held")) socket.write(ok("hi"));
    });
    const proxy = await supervisor(origin);
    const port = portOf(proxy);
    const clients = Array.from({ length: 16 }, () => new RawClient(port));
    const all = [...clients];
    open.push({
      async stop() {
        for (const client of all) client.close();
      },
    });
    for (const client of clients) await client.get("/").until(/hi$/);
    const waiting = clients.splice(0, 8);
    for (const client of waiting) client.get("/held");
    await eventually(() => origin.received.filter((text) => text.includes("/held")).length === 8, "8 are in flight");

    const channel = new BroadcastChannel(CRASH_CHANNEL);
    channel.unref(); // Should the test fail, its process is to end all the same.
    channel.postMessage(0);
    await eventually(() => proxy.status().workers[0]!.state !== "running", "the crash");
    await eventually(
      () => proxy.status().activeConnections === all.filter(({ isClosed }) => !isClosed).length,
      "the connections that are left are counted right",
    );
    for (const client of clients.filter(({ isClosed }) => !isClosed)) await client.get("/").until(/hi$/);
    for (const client of waiting) assert.equal(client.received, "", "nothing is answered by halves");
    for (let connection = 0; connection < 8; connection++)
      await new RawClient(port).get("/", "Connection: close").until(/hi$/);

    await eventually(() => proxy.status().workers[0]!.state === "running", "the replacement");
    for (let connection = 0; connection < 16; connection++) {
      await new RawClient(port).get("/", "Connection: close").until(/hi$/);
    }
    channel.close();
  });

  it("again and again is replaced more and more slowly, is seen, and the other serves on", async () => {
    const backOffs: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (_, fields) => void (fields?.back_off_ms !== undefined && backOffs.push(fields.back_off_ms)),
      child: () => logger,
    };
    const proxy = await supervisor(new RawOrigin((socket) => socket.write(ok("hi"))), logger);
    const channel = new BroadcastChannel(CRASH_CHANNEL);
    channel.unref(); // Should the test fail, its process is to end all the same.
    for (let crash = 1; crash <= 3; crash++) {
      channel.postMessage(0);
      await eventually(() => backOffs.length === crash, "the crash");
      assert.notEqual(proxy.status().workers[0]!.state, "running");
      await new RawClient(portOf(proxy)).get("/", "Connection: close").until(/hi$/);
      await eventually(() => proxy.status().workers[0]!.state === "running", "the replacement");
    }
    assert.deepEqual(backOffs, [100, 200, 400]);
    assert.deepEqual(proxy.status().workers[0], { id: 0, state: "running", restarts: 3 });
    channel.close();
  });
});
