import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { deltaBetween } from "../config/delta.ts";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { plainLanguage } from "../config/testing/plain-language.ts";
import { systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/ports.ts";
import { NodeCache } from "./node-cache.ts";

const SECRET = "not-to-be-found-on-any-disk";

function version(number: number, secret = `${SECRET}-${number}`): Snapshot {
  const backends = [{ url: "http://127.0.0.1:1" }];
  const spec = { path: "/", backends, session_affinity: { secret } };
  const plain = { path: `/v${number}`, backends };
  return createSnapshot({
    ...{ epoch: "e", version: number },
    resources: [
      { kind: "route", id: "plain", spec: plain },
      { kind: "route", id: "secret", spec },
    ],
  });
}

function newKey(): string {
  return generateKeyPairSync("ec", { namedCurve: "P-256" })
    .privateKey.export({ type: "pkcs8", format: "pem" })
    .toString();
}

describe("secrets in a node's cache", () => {
  let directory: string;
  let keyFile: string;
  let cache: NodeCache;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "runway-seal-"));
    keyFile = join(directory, "node.key");
    writeFileSync(keyFile, newKey());
    cache = await opened();
  });
  afterEach(async () => {
    await cache.close();
    rmSync(directory, { recursive: true });
  });

  async function opened(options: { readonly keyFile?: string } = { keyFile }): Promise<NodeCache> {
    const inner = join(directory, "cache");
    const next = new NodeCache({
      language: plainLanguage,
      directory: inner,
      clock: systemClock,
      logger: silentLogger,
      ...options,
    });
    await next.open();
    return next;
  }
  async function reopen(options?: { readonly keyFile?: string }): Promise<NodeCache> {
    await cache.close();
    cache = await opened(options);
    return cache;
  }
  async function saveTwo(): Promise<void> {
    const [one, two] = [version(1), version(2)];
    assert.equal(await cache.save(one), "");
    assert.equal(await cache.save(two, { from: one.hash, delta: deltaBetween(one.resources, two.resources) }), "");
  }
  const clear = () => {
    const names = readdirSync(join(directory, "cache"));
    return names.filter((name) => readFileSync(join(directory, "cache", name)).includes(SECRET));
  };
  const hashes = async (of: NodeCache) => (await Array.fromAsync(of.candidates())).map(({ snapshot }) => snapshot.hash);
  const ALL = [version(2).hash, version(1).hash, version(2).hash];

  it("are in none of its files, and back when it is read", async () => {
    await saveTwo();
    assert.deepEqual(await hashes(await reopen()), ALL);
    assert.deepEqual(clear(), []);
    assert.match(readFileSync(join(directory, "cache", "config.yaml"), "utf8"), /secret: sealed:v1:/);
    for (const name of readdirSync(join(directory, "cache")))
      assert.equal(statSync(join(directory, "cache", name)).mode & 0o777, 0o600, name);
  });

  it("are lost with the node's key, and nothing that has none is", async () => {
    await saveTwo();
    writeFileSync(keyFile, newKey());
    assert.deepEqual(await hashes(await reopen()), []);
    assert.match(cache.error, /sealed with another key/);
    const references = version(3, "${env:SESSION_SECRET}");
    assert.equal(await cache.save(references), "");
    writeFileSync(keyFile, newKey());
    assert.deepEqual((await hashes(await reopen())).slice(0, 1), [references.hash]);
  });

  it("are read with the old key and with the new one while one takes the place of the other, and then with the new one alone", async () => {
    await saveTwo();
    const [before, next] = [readFileSync(keyFile, "utf8"), newKey()];
    await cache.rekey(next);
    for (const stoppedWith of [before, next]) {
      writeFileSync(keyFile, stoppedWith);
      assert.deepEqual(await hashes(await reopen()), ALL);
      await cache.rekey(next);
    }
    writeFileSync(keyFile, next);
    await cache.settle(next);
    assert.deepEqual(await hashes(await reopen()), ALL);
    writeFileSync(keyFile, before);
    assert.deepEqual(await hashes(await reopen()), []);
  });

  it("follow a key that somebody else replaces while the node runs", async () => {
    await saveTwo();
    writeFileSync(keyFile, newKey());
    await cache.keyChanged();
    assert.deepEqual(await hashes(await reopen()), ALL);
  });

  it("of a cache that an older program wrote in clear are sealed when it is opened", async () => {
    await cache.close();
    rmSync(join(directory, "cache"), { recursive: true });
    cache = await opened({});
    await saveTwo();
    // Elsewhere it is compressed.
    assert.ok(clear().includes("config.yaml"));
    assert.deepEqual(await hashes(await reopen()), ALL);
    assert.deepEqual(clear(), []);
    const keyless = await hashes(await reopen({ keyFile: join(directory, "nowhere") }));
    assert.deepEqual(keyless, [], "nothing can be read without the key any more");
  });

  it("are not kept where there is no key to seal them with, and that is told", async () => {
    await reopen({ keyFile: join(directory, "nowhere") });
    assert.match(cache.error, /nowhere/);
    assert.match(await cache.save(version(1)), /secrets, which cannot be sealed/);
    assert.equal(await cache.save(version(2, "${env:SESSION_SECRET}")), "");
    assert.deepEqual(clear(), []);
  });
});
