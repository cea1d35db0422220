import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { eventually, ok, RawOrigin, TestProxy } from "../testing/test-proxy.ts";
import { UpstreamStage } from "../upstream/testing/upstream-stage.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function between(made: RawOrigin, timeout_policy: object, route: object = {}) {
  open.push(await made.start());
  const gateway = new TestProxy();
  open.push(gateway);
  const all = { path: "/", path_prefix: true, backends: [{ url: made.url }], timeout_policy, ...route };
  await gateway.apply({ routes: { all } });
  return { gateway, client: gateway.client() };
}

const CHUNKED = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
const silent = () => new RawOrigin(() => {});

/** Begins a response, says something now and then, and ends it after so many pieces. */
function talking(pieces: number): RawOrigin {
  return new RawOrigin((socket) => {
    let said = 0;
    socket.write(CHUNKED);
    const talk = setInterval(() => {
      socket.write(said++ < pieces ? "1\r\nx\r\n" : "0\r\n\r\n");
      if (said > pieces) clearInterval(talk);
    }, 20);
    socket.on("close", () => clearInterval(talk));
  });
}

describe("header_timeout", () => {
  it("is how long a target may take to begin, and not how long it may take to end", async () => {
    const late = await between(silent(), { header_timeout: "50ms" });
    assert.match(
      await late.client.get("/").until(/\}\n$/),
      /^HTTP\/1.1 504 .*\r\nRetry-After: \d.*RW_UPSTREAM_TIMEOUT/s,
    );
    const long = await between(talking(20), { header_timeout: "50ms" });
    assert.match(await long.client.get("/").until(/0\r\n\r\n$/), /^HTTP\/1.1 200 /);
  });

  it("fails an attempt, so that another target is asked within the time of the request", async () => {
    const policy = {
      retry_policy: { max_retries: 1, initial_backoff: "0s" },
      timeout_policy: { header_timeout: "50ms" },
    };
    const stage = await UpstreamStage.open("ab", {}, policy);
    open.push(stage);
    stage.origin("a").mood = "silent";
    assert.deepEqual(
      (await stage.ask(2)).map(({ by }) => by),
      ["b", "b"],
    );
  });
});

describe("backend", () => {
  it("ends a response that goes on too long, though it never pauses", async () => {
    const { gateway, client } = await between(talking(Number.POSITIVE_INFINITY), { backend: "200ms" });
    const received = await client.get("/").untilClosed();
    assert.match(received, /^HTTP\/1.1 200 /);
    assert.doesNotMatch(received, /0\r\n\r\n$/);
    await eventually(
      () => gateway.logLines().some(({ fields }) => fields?.reason === "the target did not end its response in time"),
      () => JSON.stringify(gateway.logLines()),
    );
  });

  it("ends a request whose response does not begin, with and without further attempts", async () => {
    for (const route of [{}, { retry_policy: { max_retries: 1, initial_backoff: "0s" } }]) {
      const { client } = await between(silent(), { backend: "100ms" }, route);
      assert.match(await client.get("/").until(/\}\n$/), /^HTTP\/1.1 504 .*RW_UPSTREAM_TIMEOUT/s);
    }
  });

  it("ends an upload that a target does not take", async () => {
    const stuck = new RawOrigin((socket) => socket.pause());
    const { client } = await between(stuck, { backend: "100ms" });
    client.send(`POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n${"x".repeat(5_000_000)}`);
    assert.match(await client.untilClosed(), /^HTTP\/1.1 504 /);
  });

  it("is each target's own, and over with the request", async () => {
    const stage = await UpstreamStage.open(
      "ab",
      {},
      { retry_policy: { max_retries: 1, initial_backoff: "0s" }, timeout_policy: { backend: "150ms" } },
    );
    open.push(stage);
    stage.origin("a").mood = "silent";
    assert.equal(
      (await stage.ask(2)).every(({ by }) => by === "b"),
      true,
    );
    const { client } = await between(
      new RawOrigin((socket, all) => setTimeout(() => socket.write(ok(String(all.split("\r\n\r\n").length - 1))), 100)),
      { backend: "150ms" },
    );
    for (const turn of [1, 2, 3])
      assert.match(await client.get("/").until(/\d$/), new RegExp(`^HTTP/1.1 200 .*\\n${turn}$`, "s"));
  });
});
