import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { systemClock } from "../../core/clock.ts";
import { SharedState, WorkerCells } from "../counters/shared-state.ts";
import { answering, eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";
import type { Report } from "../worker/worker-protocol.ts";
import { AccessLog } from "./access-log.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function proxyTo(origin: RawOrigin, accessLog: object, ofRoute?: object): Promise<TestProxy> {
  open.push(await origin.start());
  const proxy = new TestProxy();
  open.push(proxy);
  const all = {
    path: "/",
    path_prefix: true,
    backends: [{ url: origin.url }],
    ...(ofRoute && { access_log: ofRoute }),
  };
  await proxy.apply({ routes: { all }, settings: { access_log: accessLog } });
  return proxy;
}

function write(log: AccessLog, line: string): void {
  const octets = log.open(line.length);
  if (octets === undefined) return;
  octets.text(line);
  log.close();
}

async function statuses(proxy: TestProxy, count: number): Promise<unknown[]> {
  await eventually(() => proxy.accessLines().length === count, `${count} lines`);
  return proxy.accessLines().map(({ status }) => status);
}

describe("the access log", () => {
  it("has one line for a request, with what it was and what became of it", async () => {
    const origin = answering(ok("hello"));
    const proxy = await proxyTo(origin, { enabled: true, headers_include: ["User-Agent", "X-Odd"] });
    const fields = [
      "X-Request-ID: abc",
      'User-Agent: quote " back \\ \xe9',
      "Cookie: secret=1",
      "Authorization: secret",
    ];
    await proxy
      .client()
      .get("/a/b?token=secret", ...fields)
      .until(/hello$/);
    await statuses(proxy, 1);
    const [line] = proxy.accessLines();
    assert.ok(line !== undefined);
    const { time, duration_ms, upstream_ms, ...rest } = line;
    assert.deepEqual(rest, {
      request_id: "abc",
      client: "127.0.0.1",
      method: "GET",
      host: "gateway.test",
      path: "/a/b",
      protocol: "HTTP/1.1",
      route: "all",
      target: `127.0.0.1:${origin.port}`,
      status: 200,
      bytes_in: 0,
      bytes_out: 5,
      headers: { "user-agent": 'quote " back \\ \xe9' },
    });
    assert.match(String(time), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    assert.ok(Number(duration_ms) >= Number(upstream_ms) && Number(upstream_ms) > 0);
  });

  it("tells of failures by their code: refused, unmatched, cut, and clients that are gone", async () => {
    const origin = new RawOrigin((socket, all) => {
      if (all.includes("/cut")) {
        socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\n12345");
        setTimeout(() => socket.destroy(), 20);
      }
    });
    const proxy = await proxyTo(origin, { enabled: true });
    await proxy.client().send("GET / HTTP/1.1\r\nHost: \x00\r\n\r\n").untilClosed();
    await proxy.client().get("/cut").untilClosed();
    const gone = proxy.client().get("/gone");
    await eventually(() => origin.received.some((text) => text.includes("/gone")), "the request is in flight");
    gone.close();
    await statuses(proxy, 3);
    const seen = proxy.accessLines().map(({ path, status, failure, bytes_out }) => [path, status, failure, bytes_out]);
    assert.deepEqual(seen, [
      ["", 400, "RW_BAD_REQUEST", 0],
      ["/cut", 200, "RW_UPSTREAM_RESET", 5],
      ["/gone", 499, "RW_CLIENT_CLOSED", 0],
    ]);
  });

  it("is off unless it is asked for, and a route can differ", async () => {
    const silent = await proxyTo(answering(ok("hi")), {});
    await silent.client().get("/").until(/hi$/);
    const one = await proxyTo(answering(ok("hi")), {}, { enabled: true, query: true });
    await one.client().get("/x?y=1").until(/hi$/);
    await statuses(one, 1);
    assert.equal(one.accessLines()[0]?.path, "/x?y=1");
    assert.deepEqual(silent.accessLines(), []);
    const quiet = await proxyTo(answering(ok("hi")), { enabled: true }, { enabled: false });
    await quiet.client().get("/").until(/hi$/);
    assert.deepEqual(quiet.accessLines(), []);
  });

  it("writes only what its conditions let through", async () => {
    let status = 200;
    const origin = new RawOrigin((socket) => socket.write(`HTTP/1.1 ${status} X\r\nContent-Length: 1\r\n\r\n!`));
    const conditions = { status_codes: [404, "5xx", "300-303"], methods: ["GET"] };
    const proxy = await proxyTo(origin, { enabled: true, conditions });
    const client = proxy.client();
    for (status of [200, 299, 300, 303, 307, 404, 405, 500, 599]) await client.get("/").until(/!$/);
    await client.send("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n").until(/!$/);
    assert.deepEqual(await statuses(proxy, 5), [300, 303, 404, 500, 599]);
    const none = await proxyTo(answering(ok("hi")), { enabled: true, conditions: { sample_rate: 0 } });
    await none.client().get("/").until(/hi$/);
    assert.deepEqual(none.accessLines(), []);
  });

  it("drops and counts lines while the supervisor does not take any, and goes on once it does", () => {
    const state = new SharedState(1);
    const cells = new WorkerCells(state.rows[0]!);
    const pieces: Report[] = [];
    const log = new AccessLog(systemClock, cells, (report) => pieces.push(report));
    const line = `${"a".repeat(10_000)}\n`;
    while (state.sum("accessLogDropped") === 0) write(log, line);
    const taken = pieces.length;
    assert.ok(taken > 1 && taken < 100);
    assert.ok(
      pieces.every(
        (piece) => piece.type === "access" && String(Buffer.from(piece.octets)).split("\n").length === piece.lines + 1,
      ),
    );
    for (const piece of pieces) if (piece.type === "access") Atomics.add(piece.taken, 0, 1);
    write(log, line);
    log.flush();
    assert.equal(pieces.length, taken + 1);
  });

  it("fills the memory of pieces again that the supervisor has taken, and sends a line alone that no piece can hold", () => {
    const state = new SharedState(1);
    const read: string[] = [];
    const memory = new Set<ArrayBufferLike>();
    const log = new AccessLog(systemClock, new WorkerCells(state.rows[0]!), (report) => {
      if (report.type !== "access") return;
      read.push(Buffer.from(report.octets).toString());
      memory.add(report.octets.buffer);
      Atomics.add(report.taken, 0, 1);
    });
    const lines = Array.from({ length: 500 }, (_, number) => `${number} ${"a".repeat(10_000)}\n`);
    const long = `${"b".repeat(1_000_000)}\n`;
    for (const line of [...lines, long, "last\n"]) write(log, line);
    log.flush();
    assert.equal(read.join(""), [...lines, long, "last\n"].join(""));
    assert.equal(read.at(-2), long);
    assert.equal(memory.size, 2, "one for the pieces, one for the long line");
    assert.equal(state.sum("accessLogDropped"), 0);
  });
});
