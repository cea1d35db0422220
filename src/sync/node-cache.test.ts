import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, beforeEach, test } from "node:test";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { plainLanguage } from "../config/testing/plain-language.ts";
import { type Clock, systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/ports.ts";
import { NodeCache } from "./node-cache.ts";
import { describeSetAside } from "./set-aside.ts";

const root = mkdtempSync(join(tmpdir(), "runway-cache-"));
after(() => rmSync(root, { recursive: true, force: true }));
let directory: string;
let caches = 0;
beforeEach(() => {
  caches += 1;
  directory = join(root, `cache-${caches}`);
});

function version(number: number): Snapshot {
  const spec = { path: `/v${number}`, backends: [{ url: "http://127.0.0.1:1" }] };
  return createSnapshot({ epoch: "e", version: number, resources: [{ kind: "route", id: "r", spec }] });
}

async function openCache(clock: Clock = systemClock): Promise<NodeCache> {
  const cache = new NodeCache({ language: plainLanguage, directory, clock, logger: silentLogger });
  await cache.open();
  return cache;
}

async function cacheWith(...versions: readonly number[]): Promise<NodeCache> {
  const cache = await openCache();
  for (const number of versions) assert.equal(await cache.save(version(number)), "");
  return cache;
}

async function versionsOf(cache: NodeCache): Promise<readonly (number | string)[]> {
  return (await Array.fromAsync(cache.candidates())).map(({ source, snapshot }) =>
    source === "generation" ? snapshot.version : source,
  );
}

test("the newest three generations are kept, newest first, and config.yaml comes last", async () => {
  const cache = await cacheWith(1, 2, 3, 4);
  assert.deepEqual(await versionsOf(cache), [4, 3, 2, "config.yaml"]);
  await cache.close();
  const [newest] = await Array.fromAsync((await openCache()).candidates());
  assert.deepEqual(newest?.snapshot, version(4));
});

test("a version that is saved again is one generation", async () => {
  const cache = await cacheWith(1, 2, 2);
  assert.deepEqual(await versionsOf(cache), [2, 1, "config.yaml"]);
});

test("config.yaml gives the same state as the generation", async () => {
  const candidates = await Array.fromAsync((await cacheWith(1)).candidates());
  assert.equal(candidates[1]?.snapshot.hash, version(1).hash);
});

test("only the owner can read what is kept", async () => {
  await cacheWith(1);
  assert.equal(statSync(directory).mode & 0o777, 0o700);
  for (const name of readdirSync(directory)) assert.equal(statSync(join(directory, name)).mode & 0o777, 0o600, name);
});

/** As processes that go live with what is best and end at once. */
async function fail(times: number, clock: Clock = systemClock): Promise<void> {
  for (let start = 0; start < times; start += 1) {
    const cache = await openCache(clock);
    const { value: best } = await cache.candidates().next();
    if (best !== undefined) await cache.begin(best);
  }
}

test("a configuration that ended five processes is set aside, as config.yaml too, and is told of", async () => {
  await (await cacheWith(1, 2, 3)).close();
  await fail(5);
  const cache = await openCache();
  assert.deepEqual(await versionsOf(cache), [2, 1, 3]);
  const [setAside] = cache.setAside();
  assert.match(describeSetAside(setAside!), /^version 3 ended this process 5 times .*; it is tried again after 20/);
});

test("what is set aside is tried again after a pause, and that pause doubles", async () => {
  let nowMs = 1_000_000;
  const clock: Clock = { ...systemClock, now: () => nowMs };
  const cache = await openCache(clock);
  await cache.save(version(1));
  await fail(4, clock);
  const seen = async () => (await openCache(clock)).setAside().map((setAside) => setAside.version);
  assert.deepEqual(await seen(), [1]);
  nowMs += 299_999;
  assert.deepEqual(await seen(), [1]);
  nowMs += 1;
  assert.deepEqual(await seen(), []);
  await fail(1, clock);
  nowMs += 599_999;
  assert.deepEqual(await seen(), [1]);
  nowMs += 1;
  assert.deepEqual(await seen(), []);
  await fail(1, clock);
  nowMs -= 10_000_000; // A clock that is set back sets nothing aside for longer.
  assert.deepEqual(await seen(), []);
});

test("what is set aside is started with where there is nothing else, first what has once run for a minute", async () => {
  const cache = await cacheWith(1);
  await cache.markSurvived(version(1));
  await cache.close();
  await fail(5);
  assert.deepEqual(await versionsOf(await openCache()), [1]);
  const later = await openCache();
  await later.save(version(2));
  assert.deepEqual(await versionsOf(later), [2, "config.yaml", 1]);
  await fail(5);
  assert.deepEqual(await versionsOf(await openCache()), [1, 2]);
});

test("a config.yaml that ends the process is set aside, too", async () => {
  await (await cacheWith(1)).close();
  rmSync(join(directory, "node.db"));
  await fail(5);
  const cache = await openCache();
  assert.equal(cache.setAside().length, 1);
  assert.deepEqual(await versionsOf(cache), [0], "there is nothing else");
});

test("a process that is told to stop, or does not go live, has not failed", async () => {
  await (await cacheWith(1, 2)).close();
  for (let start = 0; start < 5; start += 1) {
    const cache = await openCache();
    await cache.begin((await cache.candidates().next()).value!);
    if (start < 3) await cache.close();
    else await cache.withdraw();
  }
  assert.deepEqual(await versionsOf(await openCache()), [2, 1, "config.yaml"]);
});

test("surviving a minute clears the count", async () => {
  const cache = await cacheWith(1, 2);
  await fail(5);
  await cache.markSurvived(version(2));
  assert.deepEqual(await versionsOf(cache), [2, 1, "config.yaml"]);
});

test("a generation whose content changed on disk is not a candidate", async () => {
  const cache = await cacheWith(1, 2);
  await cache.close();
  const database = new DatabaseSync(join(directory, "node.db"));
  database.exec("UPDATE generation SET hash = '1' WHERE version = 2");
  database.close();
  const reopened = await openCache();
  assert.deepEqual(await versionsOf(reopened), [1, "config.yaml"]);
  assert.match(reopened.error, /version 2 cannot be used: it is not what was saved/);
});

test("a damaged database is moved aside, and config.yaml is what remains", async () => {
  await (await cacheWith(1, 2)).close();
  writeFileSync(join(directory, "node.db"), "this is no database, and was one before ".repeat(100));
  const cache = await openCache();
  assert.deepEqual(await versionsOf(cache), ["config.yaml"]);
  assert.ok(existsSync(join(directory, "node.db.damaged")));
  assert.equal(await cache.save(version(3)), "");
  assert.deepEqual(await versionsOf(cache), [3, "config.yaml"]);
});

test("a damaged config.yaml is not a candidate", async () => {
  const cache = await cacheWith(1);
  writeFileSync(join(directory, "config.yaml"), "routes: [{");
  assert.deepEqual(await versionsOf(cache), [1]);
  assert.match(cache.error, /./);
});

test("a place that cannot be written is an error that is told, and stops nothing", async () => {
  writeFileSync(join(root, "a-file"), "");
  directory = join(root, "a-file", "cache");
  const cache = await openCache();
  assert.match(cache.error, /ENOTDIR|EEXIST|not a directory/);
  assert.deepEqual(await Array.fromAsync(cache.candidates()), []);
  assert.match(await cache.save(version(1)), /./);
});

test("what was kept can be started with from a read-only directory", {
  skip: process.getuid?.() === 0 && "root can write everywhere",
}, async () => {
  await (await cacheWith(1)).close();
  chmodSync(join(directory, "node.db"), 0o400);
  chmodSync(directory, 0o500);
  const cache = await openCache();
  assert.deepEqual(await versionsOf(cache), [1, "config.yaml"]);
  assert.match(await cache.save(version(2)), /./);
});

test("nothing temporary is left behind", async () => {
  await (await cacheWith(1, 2, 3)).close();
  assert.deepEqual(readdirSync(directory).sort(), ["config.yaml", "node.db"]);
  assert.match(readFileSync(join(directory, "config.yaml"), "utf8"), /\/v3/);
});
