import assert from "node:assert/strict";
import { createHmac, generateKeyPairSync, type KeyObject } from "node:crypto";
import { describe, it } from "node:test";
import { exportJWK, type JWTHeaderParameters, SignJWT } from "jose";
import type { Clock } from "../../sdk/index.ts";
import type { HostResponse } from "../../sdk/plugin-host.ts";
import { request, run, TestPlugin, type TestSurroundings } from "../../sdk/testing.ts";
import { jwt } from "./plugin.ts";

const SECRET = "a secret that has more than thirty-two bytes";
const NOW_S = 1_800_000_000;
const rsa = generateKeyPairSync("rsa", { modulusLength: 2048 });
const ec = generateKeyPairSync("ec", { namedCurve: "P-256" });
const PEM = rsa.publicKey.export({ type: "spki", format: "pem" }).toString();

class TestClock implements Clock {
  ms = NOW_S * 1_000;
  now = (): number => this.ms;
  monotonicMs = (): number => this.ms;
  after = (): (() => void) => () => {};
}

function sign(
  claims: Record<string, unknown>,
  key: KeyObject | Uint8Array = Buffer.from(SECRET),
  header: JWTHeaderParameters = { alg: "HS256" },
) {
  return new SignJWT({ sub: "alice", exp: NOW_S + 60, ...claims }).setProtectedHeader(header).sign(key);
}

/** A token as somebody makes it up who signs nothing, or signs as he likes. */
function forge(header: object, claims: object, key?: string): string {
  const part = (value: object) => Buffer.from(JSON.stringify(value)).toString("base64url");
  const signed = `${part(header)}.${part({ sub: "alice", exp: NOW_S + 60, ...claims })}`;
  return `${signed}.${key === undefined ? "" : createHmac("sha256", key).update(signed).digest("base64url")}`;
}

function present(token: string, config: object = { secret: SECRET }, surroundings: TestSurroundings = {}) {
  const sent = request("/", { headers: { Authorization: `Bearer ${token}` } });
  return run(jwt, config, sent, { clock: new TestClock(), ...surroundings });
}

describe("jwt", () => {
  it("lets in who brings a token, and knows who it is", async () => {
    const { status, consumer } = await present(await sign({ role: "admin" }));
    assert.deepEqual(
      [status, consumer?.id, consumer?.authenticatedBy, consumer?.claims.role],
      [200, "alice", "jwt", "admin"],
    );
  });

  it("has nothing to say to who brings no token", async () => {
    for (const headers of [{}, { Authorization: "Basic YTpi" }] as Record<string, string>[]) {
      const { status, consumer } = await run(jwt, { secret: SECRET }, request("/", { headers }));
      assert.deepEqual([status, consumer], [200, undefined]);
    }
  });

  it("verifies with public keys of every kind", async () => {
    const keys = { RS256: rsa, PS256: rsa, ES256: ec, EdDSA: generateKeyPairSync("ed25519") };
    for (const [alg, { privateKey, publicKey }] of Object.entries(keys)) {
      const public_key = publicKey.export({ type: "spki", format: "pem" }).toString();
      assert.equal(
        (await present(await sign({}, privateKey, { alg }), { public_key, algorithms: [alg] })).status,
        200,
        alg,
      );
    }
  });

  it("verifies with the key of the consumer that the token names, and only as that one signs", async () => {
    const consumers = {
      alice: { id: "alice", secret: SECRET },
      bob: { id: "bob", public_key: PEM, algorithm: "RS256" },
      carol: { id: "carol" },
    };
    const config = { consumer_keys: true };
    const asked = async (token: string) => (await present(token, config, { consumers })).status;
    const hers = await present(await sign({}), config, { consumers });
    assert.deepEqual([hers.status, hers.consumer?.id], [200, "alice"]);
    assert.equal(await asked(await sign({ sub: "bob" }, rsa.privateKey, { alg: "RS256" })), 200);
    // Another's key, another way of signing, a public key as a secret, no key, nobody.
    assert.equal(await asked(await sign({ sub: "bob" })), 401);
    assert.equal(await asked(await sign({ sub: "bob" }, rsa.privateKey, { alg: "PS256" })), 401);
    assert.equal(await asked(forge({ alg: "HS256" }, { sub: "bob" }, PEM)), 401);
    assert.equal(await asked(await sign({}, Buffer.from(`${SECRET}.`))), 401);
    assert.equal(await asked(await sign({ sub: "carol" })), 401);
    assert.equal(await asked(await sign({ sub: "dave" })), 401);
    assert.equal(await asked(forge({ alg: "none" }, {})), 401);
    assert.equal(await asked("a.b.c"), 401);
  });

  it("knows consumers by the claim, and may insist on them", async () => {
    const consumers = { "the-alice-account": { id: "alice" } };
    const token = await sign({});
    assert.equal((await present(token, undefined, { consumers })).consumer?.id, "the-alice-account");
    const config = { secret: SECRET, require_consumer: true };
    assert.equal((await present(token, config, { consumers })).status, 200);
    assert.equal((await present(await sign({ sub: "bob" }), config, { consumers })).status, 401);
  });

  it("gives claims to the upstream, and never lets the client say them", async () => {
    const config = { secret: SECRET, claim_headers: { "X-Role": "role", "X-Tenant": "tenant" } };
    const headers = { Authorization: `Bearer ${await sign({ role: "x\r\ny" })}`, "X-Tenant": "forged" };
    const { forwarded } = await run(jwt, config, request("/", { headers }), { clock: new TestClock() });
    assert.deepEqual([forwarded?.headers["x-role"], forwarded?.headers["x-tenant"]], ["x%0D%0Ay", undefined]);
  });

  it("takes the token from a cookie where it is told to", async () => {
    const sent = request("/", { headers: { Cookie: `session=${await sign({})}` } });
    const clock = new TestClock();
    assert.equal((await run(jwt, { secret: SECRET, cookie: "session" }, sent, { clock })).consumer?.id, "alice");
    assert.equal((await run(jwt, { secret: SECRET }, sent, { clock })).consumer, undefined);
  });

  it("keeps the token from the upstream wherever it stood, and nothing else, unless the upstream wants it", async () => {
    const token = await sign({});
    const upstreamGets = async (headers: Record<string, string>, more: object = {}) => {
      const config = { secret: SECRET, cookie: "session", ...more };
      return (await run(jwt, config, request("/", { headers }), { clock: new TestClock() })).forwarded?.headers;
    };
    const Cookie = `a=1; session=${token};b="2"; session=${token}; sessions=3`;
    const kept = { cookie: 'a=1; b="2"; sessions=3' };
    assert.deepEqual(await upstreamGets({ Authorization: `Bearer ${token}` }), {});
    assert.deepEqual(await upstreamGets({ Cookie: `session=${token}` }), {});
    assert.deepEqual(await upstreamGets({ Cookie }), kept);
    assert.deepEqual(await upstreamGets({ Authorization: `Bearer ${token}`, Cookie }), kept);
    const shown = { authorization: `Bearer ${token}`, cookie: Cookie };
    assert.deepEqual(await upstreamGets(shown, { hide_credentials: false }), shown);
  });

  it("leaves what it does not take for a token to the upstream", async () => {
    const headers = { authorization: "Basic YTpi", cookie: "session=x" };
    const { forwarded } = await run(jwt, { secret: SECRET, cookie: "session" }, request("/", { headers }));
    assert.deepEqual(forwarded?.headers, headers);
  });
});

describe("jwt refuses", () => {
  const attacks: readonly [what: string, token: string | Promise<string>, config?: object][] = [
    ["a token without a signature", forge({ alg: "none" }, {})],
    ["a token that spells none otherwise", forge({ alg: "nOnE" }, {})],
    ["a public key that is used as a secret", forge({ alg: "HS256" }, {}, PEM), { public_key: PEM }],
    ["a signature with another secret", forge({ alg: "HS256" }, {}, "another secret of more than thirty-two bytes")],
    ["an algorithm that is not accepted", sign({}, Buffer.from(SECRET), { alg: "HS512" })],
    ["a token that has ended", sign({ exp: NOW_S - 31 })],
    ["a token that never ends", sign({ exp: undefined })],
    ["a token that is not valid yet", sign({ nbf: NOW_S + 31 })],
    ["another audience", sign({ aud: "others" }), { secret: SECRET, audience: ["us"] }],
    ["no audience", sign({}), { secret: SECRET, audience: ["us"] }],
    ["another issuer", sign({ iss: "https://evil.example" }), { secret: SECRET, issuer: "https://id.example" }],
    ["a token that does not say who it is about", sign({ sub: undefined })],
    ["a claim about who it is that is no text", forge({ alg: "HS256" }, { sub: { admin: true } }, SECRET)],
    ["an extension that it does not know", forge({ alg: "HS256", crit: ["x"], x: 1 }, {}, SECRET)],
    [
      "a key that the token brings along",
      sign({}, rsa.privateKey, { alg: "RS256", jwk: rsa.publicKey.export({ format: "jwk" }) as never }),
    ],
    ["a huge token", `${"a".repeat(10_000)}.b.c`],
    ["what is no token", "a.b.c"],
    ["a token of five parts", "a.b.c.d.e"],
  ];
  for (const [what, token, config] of attacks)
    it(what, async () => {
      const { status, failure, headers, forwarded } = await present(await token, config);
      assert.deepEqual([status, failure, forwarded], [401, "consumerUnknown", undefined]);
      assert.equal(headers["www-authenticate"], 'Bearer realm="gateway", error="invalid_token"');
    });

  it("within the leeway nobody", async () => {
    assert.equal((await present(await sign({ exp: NOW_S - 29, nbf: NOW_S + 29 }))).status, 200);
  });

  it("and counts why, without saying so", async () => {
    const plugin = new TestPlugin(jwt, { secret: SECRET }, { clock: new TestClock() });
    for (const token of [await sign({ exp: NOW_S - 100 }), "a.b.c"])
      await plugin.run(request("/", { headers: { Authorization: `Bearer ${token}` } }));
    assert.deepEqual(plugin.events, { expired_token: 1, invalid_token: 1 });
  });
});

describe("keys that an issuer publishes", () => {
  const URL = "https://id.example/keys";
  const config = { jwks_url: URL };

  /** An issuer that can be changed, and counts how often it is asked. */
  async function issuer(...keys: readonly { key: KeyObject; kid: string }[]) {
    const publish = async (published: readonly { key: KeyObject; kid: string }[]) =>
      Buffer.from(
        JSON.stringify({
          keys: await Promise.all(published.map(async ({ key, kid }) => ({ ...(await exportJWK(key)), kid }))),
        }),
      );
    const state = { asked: 0, answer: { status: 200, body: await publish(keys) } as Partial<HostResponse> | Error };
    const clock = new TestClock();
    const fetch = async () => {
      state.asked += 1;
      if (state.answer instanceof Error) throw state.answer;
      return state.answer;
    };
    const plugin = new TestPlugin(jwt, config, { clock, fetch });
    const token = (kid: string, key = rsa.privateKey, alg = "RS256") =>
      sign({ exp: NOW_S + 1_000_000 }, key, { alg, kid });
    const ask = async (presented: string) =>
      plugin.run(request("/", { headers: { Authorization: `Bearer ${presented}` } }));
    return { state, clock, plugin, token, ask, publish };
  }

  it("are fetched once, however many ask", async () => {
    const { state, token, ask } = await issuer({ key: rsa.publicKey, kid: "one" });
    const presented = await token("one");
    const results = await Promise.all(Array.from({ length: 20 }, () => ask(presented)));
    assert.ok(results.every(({ status }) => status === 200));
    assert.equal(state.asked, 1);
  });

  it("are fetched anew for a key that is not among them, but not again and again", async () => {
    const { state, clock, token, ask, publish } = await issuer({ key: rsa.publicKey, kid: "one" });
    assert.equal((await ask(await token("one"))).status, 200);
    for (let flood = 0; flood < 50; flood++) assert.equal((await ask(await token(`made-up-${flood}`))).status, 401);
    assert.equal(state.asked, 1);
    clock.ms += 31_000;
    state.answer = { status: 200, body: await publish([{ key: ec.publicKey, kid: "two" }]) };
    assert.equal((await ask(await token("two", ec.privateKey, "ES256"))).status, 200);
    assert.equal(state.asked, 2);
  });

  it("serve for a day when the issuer is away, and then the answer is that it cannot be known", async () => {
    const { state, clock, plugin, token, ask } = await issuer({ key: rsa.publicKey, kid: "one" });
    const presented = await token("one");
    assert.equal((await ask(presented)).status, 200);
    state.answer = new Error("connection refused");
    clock.ms += 2 * 3_600_000;
    assert.equal((await ask(presented)).status, 200);
    clock.ms += 23 * 3_600_000;
    assert.deepEqual(
      [(await ask(presented)).failure, (await ask(presented)).status],
      ["authorizationUnavailable", 503],
    );
    assert.ok(plugin.events.keys_unavailable! >= 1);
  });

  it("are never secrets, nor private keys", async () => {
    const { state, token, ask } = await issuer();
    const oct = { kty: "oct", kid: "s", k: Buffer.from(SECRET).toString("base64url"), alg: "HS256" };
    state.answer = {
      status: 200,
      body: Buffer.from(JSON.stringify({ keys: [oct, { ...rsa.privateKey.export({ format: "jwk" }), kid: "p" }] })),
    };
    assert.equal((await ask(forge({ alg: "HS256", kid: "s" }, {}, SECRET))).status, 401);
    assert.equal((await ask(await token("p"))).status, 401);
  });

  it("that cannot be read are as good as none", async () => {
    for (const body of ["<html>", "[]", "{}", '{"keys":7}']) {
      const { state, token, ask } = await issuer();
      state.answer = { status: 200, body: Buffer.from(body) };
      assert.equal((await ask(await token("one"))).status, 503);
    }
  });
});

describe("the configuration of jwt", () => {
  const wrong: readonly [what: string, config: object, message: RegExp][] = [
    ["no key", {}, /exactly one of secret, public_key, jwks_url and consumer_keys/],
    ["two keys", { secret: SECRET, public_key: PEM }, /exactly one of/],
    ["a short secret", { secret: "short" }, /32 bytes/],
    ["a private key", { public_key: rsa.privateKey.export({ type: "pkcs8", format: "pem" }) }, /public key/],
    ["keys from anywhere in the clear", { jwks_url: "http://id.example/keys" }, /https/],
    ["keys from where one has to log in", { jwks_url: "https://me:secret@id.example/keys" }, /no user and password/],
    ["algorithms of two kinds", { secret: SECRET, algorithms: ["HS256", "RS256"] }, /a public key pass for a secret/],
    ["none", { secret: SECRET, algorithms: ["none"] }, /HS256/],
  ];
  for (const [what, config, message] of wrong)
    it(`cannot have ${what}`, () => assert.rejects(run(jwt, config), message));

  it("may refer to a secret that only the node knows", async () => {
    assert.equal((await run(jwt, { secret: "${env:JWT_SECRET}" })).status, 200);
  });
});
