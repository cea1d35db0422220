import assert from "node:assert/strict";
import { createServer, type IncomingHttpHeaders, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { afterEach, describe, it } from "node:test";
import { SignJWT } from "jose";
import { hashApiKey } from "../../src/plugins/api_key/plugin.ts";
import { hashPassword } from "../../src/plugins/basic_auth/password-hash.ts";
import { PLUGINS } from "../../src/plugins/index.ts";
import { eventually, TestProxy } from "../../src/proxy/testing/test-proxy.ts";

const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function origin(listener: RequestListener): Promise<string> {
  const server = createServer(listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(() => server.closeAllConnections() ?? new Promise((closed) => server.close(closed)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const SECRET = "a secret that has more than thirty-two bytes";
const token = await new SignJWT({ sub: "al" })
  .setProtectedHeader({ alg: "HS256" })
  .setExpirationTime("5m")
  .sign(Buffer.from(SECRET));
const consumers = {
  alice: {
    api_key: { keys: [{ hash: hashApiKey("the-key") }] },
    basic_auth: { username: "al", password_hash: await hashPassword("the-password") },
    jwt: { id: "al" },
  },
};

interface Credential {
  readonly plugin: string;
  readonly config: object;
  readonly headers: Readonly<Record<string, string>>;
}

const CREDENTIALS: Readonly<Record<string, Credential>> = {
  "a key": { plugin: "api_key", config: {}, headers: { "x-api-key": "the-key" } },
  "a password": {
    plugin: "basic_auth",
    config: {},
    headers: { authorization: `Basic ${btoa("al:the-password")}` },
  },
  "a token": { plugin: "jwt", config: { secret: SECRET }, headers: { authorization: `Bearer ${token}` } },
  "a token in a cookie": {
    plugin: "jwt",
    config: { secret: SECRET, cookie: "session" },
    headers: { cookie: `session=${token}` },
  },
};

/**
 * Every header of the credential's names that anybody behind the gateway got: a target that breaks off, the one that is asked after it, and
 * the other upstream that gets a copy.
 */
async function seenBehind({ plugin, config, headers }: Credential, more: object): Promise<IncomingHttpHeaders[]> {
  const seen: IncomingHttpHeaders[] = [];
  const witness = (answer: RequestListener) =>
    origin((request, response) => {
      const names = Object.keys(headers).filter((name) => name in request.headers);
      seen.push(Object.fromEntries(names.map((name) => [name, request.headers[name]])));
      answer(request, response);
    });
  const breaking = await witness((request) => request.socket.destroy());
  const well = await witness((_, response) => response.end("well"));
  const copied = await witness((_, response) => response.end());
  const proxy = new TestProxy(PLUGINS);
  stops.push(() => proxy.stop());
  await proxy.apply({
    consumers,
    routes: {
      api: {
        path: "/",
        backends: [{ url: breaking, weight: 1_000 }, { url: well }],
        retry_policy: { max_retries: 1, initial_backoff: "0s" },
        auth: { required: true },
        mirror: { upstream: "copies" },
        [plugin]: { ...config, ...more },
      },
    },
    upstreams: { copies: { backends: [{ url: copied }] } },
  });
  const response = await fetch(`http://127.0.0.1:${proxy.port}/`, { headers });
  assert.deepEqual([response.status, await response.text()], [200, "well"]);
  await eventually(() => seen.length === 3, "all three were asked");
  return seen;
}

describe("what a client proves with who it is:", () => {
  for (const [what, credential] of Object.entries(CREDENTIALS)) {
    it(`${what} is kept from every target, tries after the first and copies included`, async () =>
      assert.deepEqual(await seenBehind(credential, {}), [{}, {}, {}]));

    it(`${what} reaches all of them where the upstream is to have it`, async () => {
      const { headers } = credential;
      assert.deepEqual(await seenBehind(credential, { hide_credentials: false }), [headers, headers, headers]);
    });
  }
});
