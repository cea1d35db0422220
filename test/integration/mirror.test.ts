import assert from "node:assert/strict";
import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { buffer } from "node:stream/consumers";
import { afterEach, describe, it } from "node:test";
import { PLUGINS } from "../../src/plugins/index.ts";
import { Http2Client } from "../../src/proxy/testing/http2-client.ts";
import { Http2Origin } from "../../src/proxy/testing/http2-origin.ts";
import { eventually, TestProxy } from "../../src/proxy/testing/test-proxy.ts";

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function origin(listener: RequestListener): Promise<string> {
  const server: Server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** Every request that came whole, as it came. */
class Witness {
  readonly seen: { method: string; url: string; headers: IncomingMessage["headers"]; body: string }[] = [];
  /** Requests of which the head came. */
  heads = 0;
  readonly listener: RequestListener;

  constructor(answer: (response: ServerResponse) => void) {
    this.listener = async (request, response) => {
      this.heads++;
      const body = await buffer(request).catch(() => undefined);
      if (body === undefined) return;
      const { method = "", url = "", headers } = request;
      this.seen.push({ method, url, headers, body: body.toString() });
      answer(response);
    };
  }
}

interface Setting {
  readonly mirror?: object;
  readonly route?: object;
  readonly answer?: (response: ServerResponse) => void;
  readonly answerCopy?: (response: ServerResponse) => void;
}

async function mirrored({ mirror = {}, route = {}, answer, answerCopy }: Setting = {}) {
  const original = new Witness(answer ?? ((response) => response.end("original")));
  const copy = new Witness(answerCopy ?? ((response) => response.end("copy")));
  const proxy = new TestProxy(PLUGINS);
  stops.push(() => proxy.stop());
  await proxy.apply({
    routes: {
      api: {
        ...{ path: "/", path_prefix: true, backends: [{ url: await origin(original.listener) }], api_key: {} },
        ...{ mirror: { upstream: "next", ...mirror }, auth: { required: false }, ...route },
      },
    },
    upstreams: { next: { backends: [{ url: `${await origin(copy.listener)}/next` }] } },
  });
  const counted = (event: string) => proxy.events()[`mirror route:api ${event}`] ?? 0;
  const fates = (event: string, count: number) =>
    eventually(
      () => counted(event) === count,
      () => `${count} ${event}: ${JSON.stringify(proxy.events())}`,
    );
  return {
    proxy,
    address: `http://127.0.0.1:${proxy.port}`,
    original: original.seen,
    begun: () => original.heads,
    copies: copy.seen,
    fates,
  };
}

const many = Array.from({ length: 30 }, (_, n) => n);

describe("mirror in the gateway", () => {
  it("sends a copy of what the upstream gets, and gives the client the upstream's answer", async () => {
    const route = { rewrite: { prefix: "/v2" }, transform: { request: { headers: { set: { "X-Set": "1" } } } } };
    const { address, original, copies, fates } = await mirrored({ route });
    const init = { method: "PUT", body: "hello", headers: { "X-Own": "2", "Content-Type": "text/plain" } };
    assert.equal(await (await fetch(`${address}/a?b=c`, init)).text(), "original");
    await fates("answered", 1);
    const [sent, copied] = [original[0]!, copies[0]!];
    assert.deepEqual([sent.url, copied.url], ["/v2/a?b=c", "/next/v2/a?b=c"]);
    assert.deepEqual([copied.method, copied.body], ["PUT", "hello"]);
    assert.deepEqual({ ...copied.headers, host: "" }, { ...sent.headers, host: "" });
  });

  it("copies every request of many at a time, whatever the form of its body", async () => {
    const { address, original, copies, fates } = await mirrored();
    await Promise.all(
      many.map(async (n) => {
        const body =
          n % 3 === 0 ? {} : { method: "POST", body: n % 3 === 1 ? "x".repeat(n) : new Blob(["y".repeat(n)]).stream() };
        const response = await fetch(`${address}/${n}`, { ...body, duplex: "half" } as RequestInit);
        assert.equal(await response.text(), "original");
      }),
    );
    await fates("answered", many.length);
    const whole = (list: typeof copies, base: string) =>
      list.map(({ method, url, body }) => `${method} ${url.slice(base.length)} ${body}`).sort();
    assert.deepEqual(whole(copies, "/next"), whole(original, ""));
  });

  it("costs clients nothing when the other upstream is away, hangs, cuts, or answers without end", async () => {
    const floods: ServerResponse[] = [];
    const ways: ((response: ServerResponse) => void)[] = [
      () => {},
      (response) => response.destroy(),
      (response) => {
        floods.push(response);
        response.write("z".repeat(1_000_000));
      },
      (response) => response.writeHead(500).end(),
    ];
    const { address, copies, fates } = await mirrored({
      mirror: { timeout: "300ms" },
      answerCopy: (response) => ways[copies.length % ways.length]!(response),
    });
    for (const n of many.slice(0, 12)) assert.equal(await (await fetch(`${address}/${n}`)).text(), "original");
    await fates("failed", 6);
    await fates("answered", 6);
    await eventually(() => floods.length === 3 && floods.every(({ destroyed }) => destroyed), "floods are cut");
  });

  it("counts as failed where nobody can be asked", async () => {
    const { proxy, address, fates } = await mirrored();
    const routes = { api: { path: "/", static: { body: "x" } } };
    await proxy.apply({ routes });
    const dead = { next: { backends: [{ url: "http://127.0.0.1:1" }] } };
    const url = await origin((_, response) => response.end("original"));
    await proxy.apply({
      routes: { api: { path: "/", backends: [{ url }], mirror: { upstream: "next" } } },
      upstreams: dead,
    });
    assert.equal(await (await fetch(address)).text(), "original");
    await fates("failed", 1);
  });

  it("keeps no body beyond the bound, and no more copies than it may", async () => {
    const { address, original, copies, fates } = await mirrored({
      mirror: { max_body_size: 100, max_in_flight: 2, timeout: "1m" },
      answerCopy: () => {},
    });
    const post = async (body: string) => (await fetch(address, { method: "POST", body })).text();
    assert.equal(await post("x".repeat(1_000_000)), "original");
    await fates("too_large", 1);
    for (let n = 0; n < 5; n++) assert.equal(await post("short"), "original");
    await fates("skipped", 3);
    assert.deepEqual([original.length, copies.length], [6, 2]);
  });

  it("copies nothing of a request that is refused, given up, or answered by somebody else", async () => {
    const { proxy, address, begun, copies, fates } = await mirrored({ route: { max_body_size: 10 } });
    const chunks = () => new Blob(["x".repeat(100)]).stream();
    const refused = await fetch(address, { method: "POST", body: chunks(), duplex: "half" } as RequestInit);
    assert.equal(refused.status, 413);
    const before = begun();
    const client = proxy.client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab");
    await eventually(() => begun() > before, "half of a request is at the upstream");
    client.close();
    await fates("not_sent", 2);
    assert.equal((await fetch(address, { headers: { "X-API-Key": "wrong" } })).status, 401);
    assert.equal(copies.length, 0);
  });

  it("copies a request once, though it is tried again, and whatever becomes of it", async () => {
    const { address, original, copies, fates } = await mirrored({
      route: { retry_policy: { max_retries: 2, initial_backoff: "1ms" } },
      answer: (response) => response.writeHead(503).end(),
    });
    assert.equal((await fetch(address)).status, 503);
    await fates("answered", 1);
    assert.deepEqual([original.length, copies.length], [3, 1]);
  });

  it("goes on with a copy whose client has gone, and lets a change of configuration pass by", async () => {
    const waiting: ServerResponse[] = [];
    const { proxy, copies, fates } = await mirrored({ answerCopy: (response) => void waiting.push(response) });
    const client = proxy.client().get("/", "Connection: close");
    await client.untilClosed();
    await eventually(() => copies.length === 1, "the copy arrives");
    await proxy.apply({ routes: { other: { path: "/", static: { body: "x" } } } });
    waiting[0]!.end("late");
    await fates("answered", 1);
  });

  it("copies from clients of HTTP/2, and to targets of it", async () => {
    const seen: string[] = [];
    const copies = new Http2Origin((stream, headers) => {
      let body = "";
      stream.on("data", (piece: Buffer) => {
        body += piece.toString();
      });
      stream.on("end", () => {
        seen.push(`${headers[":method"]} ${headers[":path"]} ${headers["content-length"]} ${body}`);
        stream.respond({ ":status": 200 });
        stream.end("copy");
      });
    });
    await copies.start();
    stops.push(() => copies.stop());
    const { proxy, address, fates } = await mirrored();
    const url = await origin((request, response) => void request.resume().on("end", () => response.end("original")));
    await proxy.apply({
      routes: { api: { path: "/", path_prefix: true, backends: [{ url }], mirror: { upstream: "next" } } },
      upstreams: { next: { backends: [{ url: copies.url, http2: true }] } },
    });
    const client = new Http2Client(proxy.port);
    stops.push(() => client.stop());
    const posting = client.open({ ":method": "POST", ":path": "/two" }, false);
    posting.stream.end("from 2 to 2");
    assert.equal((await posting.answer()).body, "original");
    assert.equal(await (await fetch(`${address}/one`, { method: "POST", body: "from 1 to 2" })).text(), "original");
    await fates("answered", 2);
    assert.deepEqual(seen, ["POST /two 11 from 2 to 2", "POST /one 11 from 1 to 2"]);
  });

  it("does not copy a request for another protocol", async () => {
    const { proxy, copies, fates } = await mirrored();
    const client = proxy.client().get("/", "Connection: Upgrade", "Upgrade: websocket");
    await client.until(/original/);
    client.close();
    await fates("not_sent", 1);
    assert.equal(copies.length, 0);
  });
});
