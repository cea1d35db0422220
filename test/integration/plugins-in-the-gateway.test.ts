import assert from "node:assert/strict";
import { createServer, type RequestListener, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import { SignJWT } from "jose";
import { PLUGINS } from "../../src/plugins/index.ts";
import { TestProxy } from "../../src/proxy/testing/test-proxy.ts";

const SECRET = "a secret that has more than thirty-two bytes";

const servers: Server[] = [];
const proxies: TestProxy[] = [];
afterEach(async () => {
  for (const proxy of proxies.splice(0)) await proxy.stop();
  for (const server of servers.splice(0)) {
    server.close();
    server.closeAllConnections();
  }
});

async function origin(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

/** The address of a gateway with one route to `url`. */
async function gateway(url: string, blocks: object, more: object = {}): Promise<string> {
  const proxy = new TestProxy(PLUGINS);
  proxies.push(proxy);
  await proxy.apply({ routes: { api: { path: "/", path_prefix: true, backends: [{ url }], ...blocks } }, ...more });
  return `http://127.0.0.1:${proxy.port}`;
}

describe("compression in the gateway", () => {
  it("gives a client what it can decode, whatever the length", async () => {
    const text = "0123456789abcdef".repeat(20_000);
    const url = await origin((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": text.length });
      response.end(text);
    });
    const address = await gateway(url, { compression: {} });
    const response = await fetch(address, { headers: { "Accept-Encoding": "br" } });
    assert.deepEqual([response.headers.get("content-encoding"), response.headers.get("content-length")], ["br", null]);
    assert.equal(await response.text(), text);
  });

  it("gives out an event of a stream when it comes, not when the stream ends", async () => {
    const ending = Promise.withResolvers<void>();
    const url = await origin(async (_request, response) => {
      response.writeHead(200, { "Content-Type": "text/event-stream" });
      response.write("data: first\n\n");
      await ending.promise;
      response.end("data: last\n\n");
    });
    const address = await gateway(url, { compression: { algorithms: ["gzip"] } });
    const response = await fetch(address, { headers: { "Accept-Encoding": "gzip" } });
    const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader();
    assert.match((await reader.read()).value ?? "", /data: first/);
    ending.resolve();
    let rest = "";
    for (let piece = await reader.read(); !piece.done; piece = await reader.read()) rest += piece.value;
    assert.match(rest, /data: last/);
  });

  it("leaves answers to HEAD without a body", async () => {
    const url = await origin((_request, response) => {
      response.writeHead(200, { "Content-Type": "text/plain", "Content-Length": 5_000 });
      response.end();
    });
    const address = await gateway(url, { compression: {} });
    const response = await fetch(address, { method: "HEAD", headers: { "Accept-Encoding": "br" } });
    assert.deepEqual([response.status, response.headers.get("content-encoding")], [200, null]);
  });
});

describe("jwt and ext_auth in the gateway", () => {
  it("let in who is known and allowed, and tell the upstream who it is", async () => {
    const url = await origin(({ headers }, response) => response.end(`${headers["x-user"]} ${headers["x-plan"]}`));
    const decider = await origin(({ headers }, response) => {
      response.writeHead(headers["x-forwarded-uri"] === "/closed" ? 403 : 200, { "X-Plan": "gold" });
      response.end("because");
    });
    const address = await gateway(url, {
      auth: { required: true },
      jwt: { secret: SECRET, claim_headers: { "X-User": "sub" } },
      ext_auth: { url: decider, upstream_headers: ["X-Plan"] },
    });
    const token = await new SignJWT({ sub: "alice" })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime("1m")
      .sign(Buffer.from(SECRET));
    const headers = { Authorization: `Bearer ${token}`, "X-Plan": "forged" };
    assert.equal(await (await fetch(`${address}/open`, { headers })).text(), "alice gold");
    const closed = await fetch(`${address}/closed`, { headers });
    assert.deepEqual([closed.status, await closed.text()], [403, "because"]);
    const stranger = await fetch(`${address}/open`);
    assert.deepEqual([stranger.status, stranger.headers.get("www-authenticate")], [401, 'Bearer realm="gateway"']);
    const forger = await fetch(`${address}/open`, { headers: { Authorization: "Bearer a.b.c" } });
    assert.match(await forger.text(), /"code":"RW_CONSUMER_UNKNOWN"/);
  });
});
