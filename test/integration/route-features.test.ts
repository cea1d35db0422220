import assert from "node:assert/strict";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import { PLUGINS } from "../../src/plugins/index.ts";
import { eventually, type Sketch, TestProxy } from "../../src/proxy/testing/test-proxy.ts";

const stops: (() => Promise<void> | void)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

/** An origin that answers with its name, and with what it was asked for. */
async function origin(name: string): Promise<string> {
  const server: Server = createServer(({ url, headers }, response) => response.end(`${name} ${headers.host} ${url}`));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => {
    server.close();
    server.closeAllConnections();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function gateway(sketch: Sketch): Promise<{ proxy: TestProxy; address: string }> {
  const proxy = new TestProxy(PLUGINS);
  stops.push(() => proxy.stop());
  await proxy.apply(sketch);
  return { proxy, address: `http://127.0.0.1:${proxy.port}` };
}

const textOf = async (url: string) => (await fetch(url)).text();

describe("rewrite in the gateway", () => {
  it("works on what strip_prefix leaves, goes behind the path of the target, and names the Host", async () => {
    const url = await origin("up");
    const prefix = { path: "/api", path_prefix: true, backends: [{ url: `${url}/base` }] };
    const { address } = await gateway({
      routes: {
        plain: { ...prefix, path: "/plain", strip_prefix: true },
        both: { ...prefix, path: "/both", strip_prefix: true, rewrite: { regex: "^/", replacement: "/x/" } },
        moved: { ...prefix, path: "/users/{id}", rewrite: { prefix: "/v2", host: "inside.example" } },
      },
    });
    const host = url.slice("http://".length);
    assert.equal(await textOf(`${address}/plain/a?b`), `up ${host} /base/a?b`);
    assert.equal(await textOf(`${address}/both/a?b`), `up ${host} /base/x/a?b`);
    assert.equal(await textOf(`${address}/users/7/orders?b`), "up inside.example /base/v2/orders?b");
  });
});

describe("traffic_split in the gateway", () => {
  async function split(sticky: object) {
    const upstreams = Object.fromEntries(
      await Promise.all(["stable", "canary"].map(async (id) => [id, { backends: [{ url: await origin(id) }] }])),
    );
    const groups = [
      { name: "stable", weight: 3 },
      { name: "canary", weight: 1, upstream: "canary" },
    ];
    const sketch = {
      routes: { shop: { path: "/", upstream: "stable", traffic_split: { groups, ...sticky } } },
      upstreams,
    };
    return { ...(await gateway(sketch)), upstreams };
  }
  const nameOf = async (response: Response) => (await response.text()).split(" ")[0]!;

  it("divides requests of many clients at a time as the weights say", async () => {
    const { proxy, address } = await split({});
    const names = await Promise.all(Array.from({ length: 80 }, async () => nameOf(await fetch(address))));
    assert.equal(names.filter((name) => name === "canary").length, 20);
    await eventually(() => proxy.events()["traffic_split route:shop canary"] === 20, "each request is counted");
    assert.equal(proxy.events()["traffic_split route:shop stable"], 60);
  });

  it("keeps clients in their group over a change of weights, until the group is gone", async () => {
    const { proxy, address, upstreams } = await split({ sticky: {} });
    const cookies = new Map<string, string>();
    while (cookies.size < 2) {
      const response = await fetch(address);
      cookies.set(await nameOf(response), response.headers.get("set-cookie")!.split(";")[0]!);
    }
    const again = async (cookie: string) => nameOf(await fetch(address, { headers: { cookie } }));
    for (const [name, cookie] of cookies) for (let n = 0; n < 8; n++) assert.equal(await again(cookie), name);
    const groups = [
      { name: "stable", weight: 1 },
      { name: "canary", weight: 0, upstream: "canary" },
    ];
    await proxy.apply({
      routes: { shop: { path: "/", upstream: "stable", traffic_split: { groups, sticky: {} } } },
      upstreams,
    });
    assert.equal(await again(cookies.get("canary")!), "stable");
  });
});

describe("routes without targets", () => {
  it("redirect and answer by themselves, to every method, one request after another on a connection", async () => {
    const { proxy, address } = await gateway({
      routes: {
        old: { path: "/old", path_prefix: true, redirect: { url: "/new", keep_path: true, status: 308 } },
        fixed: { path: "/fixed", static: { status: 418, body: "teapot\n", headers: { "X-Pot": "1" } } },
      },
    });
    const moved = await fetch(`${address}/old/a?b=c`, {
      redirect: "manual",
      method: "POST",
      body: "x".repeat(100_000),
    });
    assert.deepEqual([moved.status, moved.headers.get("location")], [308, "/new/a?b=c"]);
    const fixed = await fetch(`${address}/fixed`);
    assert.deepEqual([fixed.status, fixed.headers.get("x-pot"), await fixed.text()], [418, "1", "teapot\n"]);
    const head = await fetch(`${address}/fixed`, { method: "HEAD" });
    assert.deepEqual([head.headers.get("content-length"), await head.text()], ["7", ""]);
    const client = proxy.client();
    for (let n = 0; n < 20; n++) client.get(n % 2 === 0 ? "/fixed" : "/old/x");
    client.get("/fixed", "Connection: close");
    const all = await client.untilClosed();
    assert.equal(all.split("HTTP/1.1 418 ").length - 1, 11);
    assert.equal(all.split("Location: /new/x\r\n").length - 1, 10);
  });

  it("get targets, and lose them, by a change of configuration", async () => {
    const url = await origin("up");
    const { proxy, address } = await gateway({ routes: { a: { path: "/", static: { body: "closed" } } } });
    assert.equal(await textOf(address), "closed");
    await proxy.apply({ routes: { a: { path: "/", backends: [{ url }] } } });
    assert.match(await textOf(address), /^up /);
    await proxy.apply({ routes: { a: { path: "/", static: { body: "closed" }, backends: [{ url }] } } });
    assert.equal(await textOf(address), "closed");
  });

  it("let in only whom the route lets in", async () => {
    const { address } = await gateway({
      routes: { a: { path: "/", auth: { required: true }, api_key: {}, static: { body: "secret" } } },
    });
    assert.equal((await fetch(address)).status, 401);
  });
});
