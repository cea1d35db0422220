import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import {
  copyFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { after, describe, it } from "node:test";
import { deltaBetween } from "../config/delta.ts";
import type { Resource } from "../config/resource.ts";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { plainLanguage } from "../config/testing/plain-language.ts";
import { systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/ports.ts";
import { encodeSnapshot } from "./configuration-encoding.ts";
import { GenerationStore } from "./generation-store.ts";
import { NodeCache } from "./node-cache.ts";

const directory = mkdtempSync(join(tmpdir(), "runway-generations-"));
after(() => rmSync(directory, { recursive: true, force: true }));
let files = 0;

function newFile(): string {
  files += 1;
  return join(directory, `${files}.db`);
}

const ROUTES = 40;
const NOW_MS = 1_000;

/** Routes of which each version changes one. */
function version(number: number): Snapshot {
  const resources: Resource[] = Array.from({ length: ROUTES }, (_, index) => {
    const path = `/${index}/${index === number % ROUTES ? number : 0}`;
    return { kind: "route", id: `r${index}`, spec: { path, backends: [{ url: "http://127.0.0.1:1" }] } };
  });
  return createSnapshot({ epoch: "e", version: number, resources });
}

function saveStep(store: GenerationStore, from: number, to: number): void {
  const [before, now] = [version(from), version(to)];
  store.save(now, NOW_MS, { from: before.hash, delta: deltaBetween(before.resources, now.resources) });
}

function storeWith(path: string, versions: number): GenerationStore {
  const store = GenerationStore.open(path);
  store.save(version(1), NOW_MS);
  for (let number = 2; number <= versions; number++) saveStep(store, number - 1, number);
  return store;
}

const versionsOf = (store: GenerationStore) => store.generations().map(({ version: kept }) => kept);

describe("the store of generations", () => {
  const failuresOf = (store: GenerationStore) =>
    store.generations().map(({ version: kept, failures }) => [kept, failures]);

  it("does not blame what a process was started with for its end once another configuration has come", () => {
    const store = storeWith(newFile(), 2);
    const [newest, older] = store.generations();
    for (let start = 0; start < 3; start += 1) store.begin(newest!.number, NOW_MS);
    store.begin(older!.number, NOW_MS);
    saveStep(store, 2, 3);
    assert.deepEqual(failuresOf(store), [
      [3, 1],
      [2, 4],
      [1, 0],
    ]);
    store.close();
  });

  it("counts the failures of a state, whatever the version", () => {
    const store = GenerationStore.open(newFile());
    store.save(version(1), NOW_MS);
    store.save(version(2), NOW_MS);
    for (const _start of [1, 2]) store.begin(store.generations()[0]!.number, NOW_MS);
    store.begin(store.generations()[1]!.number, NOW_MS);
    store.save({ ...version(2), version: 3 }, NOW_MS + 1);
    assert.deepEqual(failuresOf(store), [
      [3, 4],
      [2, 4],
      [1, 0],
    ]);
    assert.equal(store.generations()[0]!.lastTriedMs, NOW_MS + 1);
    store.markSurvived({ epoch: "e", version: 3 });
    assert.deepEqual(failuresOf(store)[1], [2, 0]);
    store.close();
  });

  it("keeps changes as changes, and gives the whole state back", () => {
    const path = newFile();
    const store = storeWith(path, 40);
    assert.ok(statSync(path).size < 4 * encodeSnapshot(version(1).resources, "json+zstd").length + 40 * 1_024);
    for (const { number, version: kept } of store.generations()) assert.deepEqual(store.read(number), version(kept));
    assert.deepEqual(versionsOf(store), [40, 39, 38, 1]);
    store.close();
  });

  it("keeps the whole where a change does not build on the newest", () => {
    const store = storeWith(newFile(), 2);
    saveStep(store, 5, 6);
    assert.deepEqual(store.read(store.generations()[0]!.number), version(6));
    store.close();
  });

  it("keeps the newest that proved itself however many come after it", () => {
    const store = GenerationStore.open(newFile());
    for (let number = 1; number <= 3; number++) store.save(version(number), NOW_MS);
    store.markSurvived(version(2));
    for (let number = 4; number <= 20; number++) store.save(version(number), NOW_MS);
    assert.deepEqual(versionsOf(store), [20, 19, 18, 2]);
    store.close();
  });

  it("takes over what an older program kept", () => {
    const path = newFile();
    const old = new DatabaseSync(path);
    old.exec(`CREATE TABLE generation (number INTEGER PRIMARY KEY AUTOINCREMENT, epoch TEXT NOT NULL, version INTEGER NOT NULL,
              hash TEXT NOT NULL, resources BLOB NOT NULL, failed_starts INTEGER NOT NULL DEFAULT 0) STRICT`);
    const { epoch, hash, resources } = version(7);
    const insert = "INSERT INTO generation (epoch, version, hash, resources, failed_starts) VALUES (?, 7, ?, ?, 2)";
    old.prepare(insert).run(epoch, String(hash), encodeSnapshot(resources, "json+zstd"));
    old.close();
    const store = GenerationStore.open(path);
    const [kept] = store.generations();
    assert.deepEqual([kept?.version, kept?.failures], [7, 2]);
    assert.deepEqual(store.read(kept!.number), version(7));
    saveStep(store, 7, 8);
    assert.deepEqual(versionsOf(store), [8, 7]);
    store.close();
  });

  it("does not open what a newer program wrote", () => {
    const path = newFile();
    const newer = new DatabaseSync(path);
    newer.exec("PRAGMA user_version = 99");
    newer.close();
    assert.throws(() => GenerationStore.open(path), /format 99/);
  });
});

/** A small generator of numbers, so that a failure can be run again. */
function seeded(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 1_103_515_245 + 12_345) & 0x7fffffff;
    return Math.floor((state / 0x80000000) * below);
  };
}

const DAMAGES = 1_000;

/** With a secret in each, where they are to be sealed. */
function heldVersion(number: number, isSealed: boolean): Snapshot {
  const { epoch, resources } = version(number);
  if (!isSealed) return version(number);
  const session_affinity = { secret: `a secret of version ${number}` };
  const [first, ...others] = resources;
  const held = { ...first!, spec: { ...first!.spec, session_affinity } };
  return createSnapshot({ epoch, version: number, resources: [held, ...others] });
}

async function cacheAt(directory: string, isSealed: boolean, keyFile: string): Promise<NodeCache> {
  const common = { language: plainLanguage, directory, clock: systemClock, logger: silentLogger };
  const cache = new NodeCache(isSealed ? { ...common, keyFile } : common);
  await cache.open();
  return cache;
}

describe("a cache that the disk has damaged", () => {
  const keyFile = join(directory, "node.key");
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  writeFileSync(keyFile, privateKey.export({ type: "pkcs8", format: "pem" }));

  for (const isSealed of [false, true])
    it(`is found out or harmless, ${DAMAGES} times, ${isSealed ? "with" : "without"} secrets in it`, async () => {
      const versions = Array.from({ length: 12 }, (_, index) => heldVersion(index + 1, isSealed));
      const soundDirectory = mkdtempSync(join(directory, "sound-"));
      const sound = await cacheAt(soundDirectory, isSealed, keyFile);
      for (const [index, now] of versions.entries()) {
        const before = versions[index - 1];
        const step = before && { from: before.hash, delta: deltaBetween(before.resources, now.resources) };
        assert.equal(await sound.save(now, step), "");
      }
      await sound.close();
      const damageable = readdirSync(soundDirectory).filter((name) => name !== "config.yaml");
      const truth = new Map(versions.map((snapshot) => [snapshot.hash, snapshot]));
      const seed = Date.now() & 0xffffff;
      const random = seeded(seed);
      let started = 0;
      for (let times = 0; times < DAMAGES; times++) {
        const damaged = mkdtempSync(join(directory, "d-"));
        for (const name of damageable) copyFileSync(join(soundDirectory, name), join(damaged, name));
        const file = join(damaged, times % 3 === 0 ? damageable[random(damageable.length)]! : "node.db");
        const octets = readFileSync(file);
        if (times % 10 === 0) truncateSync(file, random(octets.length));
        else {
          const at = random(octets.length);
          octets[at] = octets[at]! ^ (1 << random(8));
          writeFileSync(file, octets);
        }
        const cache = await cacheAt(damaged, isSealed, keyFile);
        for await (const { snapshot } of cache.candidates()) {
          started += 1;
          assert.equal(truth.get(snapshot.hash)?.version, snapshot.version, `seed ${seed}, damage ${times}`);
          assert.deepEqual(snapshot.resources, truth.get(snapshot.hash)!.resources);
        }
        // Writing waits for the disk, so it is tried now and then.
        const thirteenth = heldVersion(13, isSealed);
        if (times % 7 === 0)
          assert.equal(await cache.save(thirteenth), "", `seed ${seed}, damage ${times}: nothing can be kept any more`);
        await cache.close();
        rmSync(damaged, { recursive: true });
      }
      assert.ok(started > DAMAGES, "most damage leaves something to start with");
    });
});
