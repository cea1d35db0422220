import assert from "node:assert/strict";
import { afterEach, describe, it } from "node:test";
import { createGunzip, createGzip } from "node:zlib";
import { z } from "zod";
import {
  answer,
  createContextKey,
  definePlugin,
  type Plugin,
  type PluginHooks,
  type RequestContext,
  refuse,
} from "../../sdk/index.ts";
import { answering, eventually, ok, RawOrigin, type Sketch, TestProxy } from "../testing/test-proxy.ts";

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop();
});

async function origin(made = answering(ok("hi", "X-Up: 1"))): Promise<RawOrigin> {
  open.push(await made.start());
  return made;
}

async function proxy(plugins: readonly Plugin[], sketch: Sketch): Promise<TestProxy> {
  const made = new TestProxy(plugins);
  open.push(made);
  await made.apply(sketch);
  return made;
}

const nothing = z.strictObject({});
const at = (url: string, blocks: object): Sketch => ({
  routes: { api: { path: "/", path_prefix: true, backends: [{ url }], ...blocks } },
});

/** A plugin that only has these hooks. */
function plugin(name: string, hooks: PluginHooks, more: Partial<Plugin> = {}): Plugin {
  return definePlugin({ name, config: nothing, create: () => hooks, ...more } as Parameters<typeof definePlugin>[0]);
}

async function ask(gateway: TestProxy, path = "/", ...fields: string[]): Promise<string> {
  const client = gateway.client().get(path, ...fields, "Connection: close");
  return client.untilClosed();
}

describe("plugins of a route", () => {
  it("run down the list for the request and up again for the response, whoever made it", async () => {
    const seen: string[] = [];
    const tracing = (name: string) =>
      plugin(name, {
        onRequest: () => void seen.push(`${name} request`),
        onResponse: () => void seen.push(`${name} response`),
        onLog: (_, { status }) => void seen.push(`${name} log ${status}`),
      });
    const door = plugin("door", {
      onRequest: ({ path }) => (path === "/no" ? answer(403, { body: "no" }) : undefined),
    });
    const upstream = await origin();
    const gateway = await proxy([tracing("a"), door, tracing("b")], at(upstream.url, { a: {}, door: {}, b: {} }));
    assert.match(await ask(gateway), /hi$/);
    assert.deepEqual(seen, ["a request", "b request", "b response", "a response", "a log 200", "b log 200"]);
    seen.length = 0;
    assert.match(await ask(gateway, "/no"), /^HTTP\/1.1 403 Forbidden\r\n[\s\S]*no$/);
    assert.deepEqual(seen, ["a request", "a response", "a log 403"]);
    seen.length = 0;
    await upstream.stop();
    assert.match(await ask(gateway), /^HTTP\/1.1 502 /);
    assert.deepEqual(seen, ["a request", "b request", "b response", "a response", "a log 502", "b log 502"]);
  });

  it("are told how the client came by proxies that are believed, and by nobody else", async () => {
    const seen: string[] = [];
    const watching = plugin("watching", { onRequest: ({ scheme }) => void seen.push(scheme) });
    const upstream = await origin();
    for (const cidrs of [["127.0.0.0/8"], []]) {
      const gateway = await proxy([watching], {
        ...at(upstream.url, { watching: {} }),
        settings: { trusted_proxies: { cidrs } },
      });
      for (const told of ["https", "HTTPS, http", "gopher", "http"])
        await ask(gateway, "/", `X-Forwarded-Proto: ${told}`);
    }
    assert.deepEqual(seen, ["https", "https", "http", "http", "http", "http", "http", "http"]);
  });

  it("change heads in both directions, target and Host, and can add no second line to a head", async () => {
    const editor = plugin("editor", {
      onRequest(request) {
        request.headers.set("X-Added", "1");
        request.headers.remove("x-secret");
        request.target = "/other?x=1";
        request.authority = "other.example";
        assert.throws(() => request.headers.set("X-A", "1\r\nX-B: 2"), TypeError);
        assert.throws(() => request.headers.set("Content-Length", "5"), /the gateway writes Content-Length itself/);
      },
      onUpstreamRequest(_, { target, headers }) {
        headers.set("X-Target", target);
      },
      onResponse(_, response) {
        response.status = 201;
        response.headers.remove("x-up");
        response.headers.append("Set-Cookie", "a=1");
        response.headers.append("Set-Cookie", "b=2");
      },
    });
    const upstream = await origin();
    const gateway = await proxy([editor], at(upstream.url, { editor: {} }));
    const answered = await ask(gateway, "/x", "X-Secret: s", "X-Kept: k");
    assert.match(answered, /^HTTP\/1.1 201 Created\r\n/);
    assert.match(answered, /Set-Cookie: a=1\r\nSet-Cookie: b=2\r\n/);
    assert.doesNotMatch(answered, /x-up/i);
    const [received = ""] = upstream.received;
    assert.match(received, /^GET \/other\?x=1 HTTP\/1.1\r\nHost: other.example\r\n/);
    assert.match(received, /X-Kept: k\r\n/);
    assert.match(received, new RegExp(`X-Added: 1\\r\\nX-Target: 127.0.0.1:${upstream.port}\\r\\n`));
    assert.doesNotMatch(received, /secret/i);
  });

  it("keep values with a request under typed keys, and nothing of one request is seen by the next", async () => {
    const count = createContextKey("count", 0);
    const seen: number[] = [];
    const counter = plugin("counter", {
      onRequest: (request) => request.set(count, request.get(count) + 1),
      onResponse: (request) => void seen.push(request.get(count)),
    });
    const upstream = await origin();
    const gateway = await proxy([counter], at(upstream.url, { counter: {} }));
    const client = gateway.client();
    for (let n = 0; n < 3; n++) await client.get("/").until(/hi$/);
    assert.deepEqual(seen, [1, 1, 1]);
  });

  it("may take their time, and the body that arrives meanwhile is not lost", async () => {
    const gate = Promise.withResolvers<void>();
    const slow = plugin("slow", { onRequest: async () => void (await gate.promise) });
    const upstream = await origin(
      new RawOrigin((socket, all) => {
        if (all.endsWith("0\r\n\r\n")) socket.write(ok("got it"));
      }),
    );
    const gateway = await proxy([slow], at(upstream.url, { slow: {} }));
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
    await eventually(() => client.socket.bytesWritten > 0, "the request is sent");
    gate.resolve();
    client.send("3\r\ndef\r\n0\r\n\r\n");
    await client.until(/got it$/);
    assert.match(upstream.received[0]!, /\r\n\r\n3\r\nabc\r\n3\r\ndef\r\n0\r\n\r\n$/);
  });

  it("get a body whole when they need it, up to a limit", async () => {
    const bodies: string[] = [];
    const reader = plugin(
      "reader",
      { onRequest: ({ body }) => void bodies.push(Buffer.from(body ?? []).toString()) },
      { needs: { requestBody: "buffered", maxBodyBytes: 10 } },
    );
    const upstream = await origin(
      new RawOrigin((socket, all) => {
        if (/\r\n\r\n(?:abcdef)?$/.test(all)) socket.write(ok("got it"));
      }),
    );
    const gateway = await proxy([reader], at(upstream.url, { reader: {} }));
    const client = gateway.client();
    client.send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nExpect: 100-continue\r\n\r\n");
    await client.until(/^HTTP\/1.1 100 Continue\r\n\r\n$/);
    await client
      .send("abc")
      .send("def")
      .until(/got it$/);
    await client.get("/").until(/got it$/);
    assert.deepEqual(bodies, ["abcdef", ""]);
    const known = gateway.client().send("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\n");
    await known.until(/^HTTP\/1.1 413 [\s\S]*RW_BODY_TOO_LARGE/);
    const unknown = gateway
      .client()
      .send("POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nabcdefghijk\r\n");
    await unknown.until(/^HTTP\/1.1 413 [\s\S]*RW_BODY_TOO_LARGE/);
    assert.equal(bodies.length, 2);
  });

  it("may change a response's body as it streams by, and a flush sends what there is", async () => {
    const zip = plugin("zip", {
      onResponse(_, response) {
        const stream = createGzip();
        response.headers.set("Content-Encoding", "gzip");
        response.transformBody({ stream, flush: () => stream.flush() });
      },
    });
    let more = () => {};
    const upstream = await origin(
      new RawOrigin((socket) => {
        socket.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nfirst\r\n");
        more = () => socket.write("6\r\nsecond\r\n0\r\n\r\n");
      }),
    );
    const gateway = await proxy([zip], at(upstream.url, { zip: {} }));
    const response = await fetch(`http://127.0.0.1:${gateway.port}/`);
    const decoder = new TextDecoder();
    const pieces: string[] = [];
    for await (const piece of response.body ?? []) {
      pieces.push(decoder.decode(piece));
      if (pieces.join("") === "first") more();
    }
    assert.equal(pieces.join(""), "firstsecond");
    assert.equal(response.headers.get("content-length"), null);
    createGunzip().destroy();
  });

  it("are configured nearest first: the route's block replaces the upstream's and the gateway's", async () => {
    const tag = definePlugin({
      name: "tag",
      scopes: ["gateway", "upstream", "route"],
      config: z.strictObject({ value: z.string(), other: z.string().default("none") }),
      create: ({ value, other }) => ({ onResponse: (_, { headers }) => headers.set("X-Tag", `${value} ${other}`) }),
    });
    const { url } = await origin();
    const backends = [{ url }];
    const gateway = await proxy([tag], {
      upstreams: { tagged: { backends, tag: { value: "upstream" } }, plain: { backends } },
      routes: {
        a: { path: "/a", upstream: "plain" },
        b: { path: "/b", upstream: "tagged" },
        c: { path: "/c", upstream: "tagged", tag: { value: "route" } },
        d: { path: "/d", upstream: "tagged", tag: { enabled: false } },
      },
      settings: { tag: { value: "gateway", other: "far" } },
    });
    const tagOf = async (path: string) => /X-Tag: (.*)\r\n/.exec(await ask(gateway, path))?.[1];
    assert.deepEqual(await Promise.all(["/a", "/b", "/c", "/d"].map(tagOf)), [
      "gateway far",
      "upstream none",
      "route none",
      undefined,
    ]);
  });

  it("go on with what they have gathered when their block stays the same, and are disposed of when not", async () => {
    const disposed: string[] = [];
    const counter = definePlugin({
      name: "counter",
      config: z.strictObject({ name: z.string() }),
      create({ name }) {
        let requests = 0;
        return {
          onResponse: (_, { headers }) => headers.set("X-Count", `${name} ${++requests}`),
          dispose: () => void disposed.push(name),
        };
      },
    });
    const { url } = await origin();
    const gateway = await proxy([counter], at(url, { counter: { name: "one" } }));
    assert.match(await ask(gateway), /X-Count: one 1\r\n/);
    await gateway.apply(at(url, { counter: { name: "one" }, methods: ["GET"] }));
    assert.match(await ask(gateway), /X-Count: one 2\r\n/);
    assert.deepEqual(disposed, []);
    await gateway.apply(at(url, { counter: { name: "two" } }));
    assert.match(await ask(gateway), /X-Count: two 1\r\n/);
    assert.deepEqual(disposed, ["one"]);
  });

  it("that cannot work with their configuration refuse it, and nothing changes", async () => {
    const picky = definePlugin({
      name: "picky",
      config: z.strictObject({ ok: z.boolean() }),
      create(config) {
        if (!config.ok) throw new Error("no such file");
        return { onResponse: (_, { headers }) => headers.set("X-Picky", "1") };
      },
    });
    const { url } = await origin();
    const gateway = await proxy([picky], at(url, { picky: { ok: true } }));
    const refusal = gateway.apply(at(url, { picky: { ok: false } }));
    await assert.rejects(
      refusal,
      /"kind":"route","id":"api","path":"picky","message":"the plugin picky cannot work with this: no such file"/,
    );
    assert.match(await ask(gateway), /X-Picky: 1/);
  });
});

describe("plugins that authenticate", () => {
  const byHeader = (name: string) =>
    plugin(
      name,
      {
        challenge: `X realm="${name}"`,
        authenticate({ headers }) {
          const sent = headers.get(`x-${name}`);
          if (sent === undefined) return undefined;
          return sent === "bad" ? refuse("consumerUnknown") : { id: sent };
        },
      },
      { authenticates: true },
    );
  const greet = plugin("greet", {
    onRequest: ({ headers, consumer }) => headers.set("X-Consumer", `${consumer?.id} ${consumer?.authenticatedBy}`),
  });
  const both = [byHeader("key"), byHeader("token"), greet];

  it("let in whom any of them knows, and turn away who says nothing with every challenge", async () => {
    const upstream = await origin();
    const gateway = await proxy(both, at(upstream.url, { key: {}, token: {}, greet: {} }));
    assert.match(await ask(gateway, "/", "X-Token: alice"), /^HTTP\/1.1 200 /);
    assert.match(upstream.received[0]!, /X-Consumer: alice token\r\n/);
    const refused = await ask(gateway);
    assert.match(refused, /^HTTP\/1.1 401 Unauthorized\r\n/);
    assert.match(refused, /WWW-Authenticate: X realm="key"\r\nWWW-Authenticate: X realm="token"\r\n/);
    assert.match(await ask(gateway, "/", "X-Key: bad", "X-Token: alice"), /^HTTP\/1.1 401 [\s\S]*RW_CONSUMER_UNKNOWN/);
    assert.equal(upstream.received.length, 1);
  });

  it("are bound to what the route's auth says", async () => {
    const upstream = await origin();
    const { url } = upstream;
    const gateway = await proxy(both, {
      ...at(url, { auth: { methods: ["key"] } }),
      settings: { key: {}, token: {}, greet: {} },
    });
    assert.match(await ask(gateway, "/", "X-Token: alice"), /^HTTP\/1.1 401 /);
    assert.match(await ask(gateway, "/", "X-Key: alice"), /^HTTP\/1.1 200 /);
    await gateway.apply({ ...at(url, { auth: { required: false } }), settings: { key: {}, greet: {} } });
    assert.match(await ask(gateway), /^HTTP\/1.1 200 /);
    assert.match(await ask(gateway, "/", "X-Key: bad"), /^HTTP\/1.1 401 /);
  });

  it("give way to settings of the consumer", async () => {
    const tag = definePlugin({
      name: "tag",
      scopes: ["gateway", "consumer"],
      config: z.strictObject({ value: z.string() }),
      create: ({ value }) => ({ onResponse: (_, { headers }) => headers.set("X-Tag", value) }),
    });
    const upstream = await origin();
    const gateway = await proxy([...both, tag], {
      ...at(upstream.url, {}),
      consumers: { alice: { tag: { value: "hers" } }, bob: { tag: { enabled: false } } },
      settings: { key: {}, tag: { value: "everybody's" } },
    });
    const tagOf = async (name: string) => /X-Tag: (.*)\r\n/.exec(await ask(gateway, "/", `X-Key: ${name}`))?.[1];
    assert.deepEqual(
      [await tagOf("alice"), await tagOf("bob"), await tagOf("carol")],
      ["hers", undefined, "everybody's"],
    );
  });
});

describe("a plugin that does wrong", () => {
  const kept: { context?: RequestContext } = {};
  const wrongs: Record<string, { hooks: PluginHooks; code: string; reason: RegExp; timeoutMs?: number }> = {
    "throws for a request": {
      hooks: { onRequest: () => assert.fail("oh no") },
      code: "RW_PLUGIN_FAILED",
      reason: /oh no/,
    },
    "rejects later": {
      hooks: { onRequest: () => Promise.reject(new Error("later")) },
      code: "RW_PLUGIN_FAILED",
      reason: /later/,
    },
    hangs: {
      hooks: { onRequest: () => new Promise<undefined>(() => {}) },
      code: "RW_PLUGIN_TIMEOUT",
      reason: /did not answer within 20 ms/,
      timeoutMs: 20,
    },
    "answers nonsense": {
      hooks: { onRequest: () => ({ status: 200 }) as never },
      code: "RW_PLUGIN_FAILED",
      reason: /neither an answer nor undefined/,
    },
    "answers with a header that is two": {
      hooks: { onRequest: () => answer(200, { headers: { "X-A": "1\r\nX-B: 2" } }) },
      code: "RW_PLUGIN_FAILED",
      reason: /cannot be that of a header field/,
    },
    "throws before a try": {
      hooks: { onUpstreamRequest: () => assert.fail("not that one") },
      code: "RW_PLUGIN_FAILED",
      reason: /not that one/,
    },
    "throws for a response": {
      hooks: { onResponse: (_, { isFromUpstream }) => assert.ok(!isFromUpstream, "no response") },
      code: "RW_PLUGIN_FAILED",
      reason: /no response/,
    },
    "sets an impossible status": {
      hooks: {
        onResponse: (_, response) => {
          response.status = response.isFromUpstream ? 99 : 500;
        },
      },
      code: "RW_PLUGIN_FAILED",
      reason: /99 is not a status/,
    },
  };

  for (const [wrong, { hooks, code, reason, timeoutMs }] of Object.entries(wrongs))
    it(`${wrong}: its request fails, others and the worker go on, the log names plugin and route`, async () => {
      const outer = plugin("outer", { onResponse: (_, { headers }) => headers.set("X-Outer", "seen") });
      const bad = plugin("bad", hooks, timeoutMs === undefined ? {} : { timeoutMs });
      const { url } = await origin();
      const backends = [{ url }];
      const gateway = await proxy([outer, bad], {
        routes: {
          wrong: { path: "/wrong", backends, outer: {}, bad: {} },
          right: { path: "/right", backends, outer: {} },
        },
      });
      const client = gateway.client().get("/wrong");
      const failed = await client.until(new RegExp(`^HTTP/1.1 500 [^\\0]*"code":"${code}"`));
      assert.match(failed, /X-Outer: seen\r\n/);
      assert.doesNotMatch(failed, reason, "causes are not for clients");
      assert.match(await client.get("/right").until(/hi$/), /^HTTP\/1.1 200 /);
      const line = gateway.logLines().find(({ message }) => message === "A plugin failed a request");
      const { plugin: name, place, route } = line?.fields ?? {};
      assert.deepEqual({ name, place, route }, { name: "bad", place: "route:wrong", route: "wrong" });
      assert.match(String(line?.fields.reason), reason);
    });

  it("keeps a request beyond its end: it reads nothing of the next one", async () => {
    const leaky = plugin("leaky", {
      onRequest(request) {
        kept.context ??= request;
      },
    });
    const { url } = await origin();
    const gateway = await proxy([leaky], at(url, { leaky: {} }));
    const client = gateway.client();
    await client.get("/", "X-Secret: mine").until(/hi$/);
    assert.throws(() => kept.context!.headers.get("x-secret"), /the request is over/);
    assert.throws(() => kept.context!.path, /the request is over/);
  });

  it("answers after its client has gone: nobody is told, and nothing is sent upstream", async () => {
    const gate = Promise.withResolvers<void>();
    const slow = plugin("slow", { onRequest: async () => void (await gate.promise) });
    const upstream = await origin();
    const gateway = await proxy([slow], at(upstream.url, { slow: {} }));
    const client = gateway.client().get("/");
    await eventually(() => gateway.state.sum("activeRequests") === 1, "the request is being served");
    client.close();
    await eventually(() => gateway.state.sum("activeRequests") === 0, "the client is gone");
    gate.resolve();
    assert.match(await ask(gateway), /hi$/);
    assert.equal(upstream.received.length, 1);
    assert.deepEqual(gateway.logLines(), []);
  });
});
