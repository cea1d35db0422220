import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
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
  store.save(now, { from: before.hash, delta: deltaBetween(before.resources, now.resources) });
}

function storeWith(path: string, versions: number): GenerationStore {
  const store = GenerationStore.open(path);
  store.save(version(1));
  for (let number = 2; number <= versions; number++) saveStep(store, number - 1, number);
  return store;
}

const versionsOf = (store: GenerationStore) => store.generations().map(({ version: kept }) => kept);

describe("the store of generations", () => {
  it("does not blame what a process was started with for its end once another configuration has come", () => {
    const store = storeWith(newFile(), 2);
    const [newest, older] = store.generations();
    for (let start = 0; start < 3; start += 1) store.countStart(newest!.number);
    store.countStart(older!.number);
    saveStep(store, 2, 3);
    assert.deepEqual(
      store.generations().map(({ version: kept, failedStarts }) => [kept, failedStarts]),
      [
        [3, 0],
        [2, 3],
        [1, 0],
      ],
    );
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
    for (let number = 1; number <= 3; number++) store.save(version(number));
    store.markSurvived(version(2));
    for (let number = 4; number <= 20; number++) store.save(version(number));
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
    assert.deepEqual([kept?.version, kept?.failedStarts], [7, 2]);
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

describe("a cache that the disk has damaged", () => {
  it(`is found out or harmless, ${DAMAGES} times`, async () => {
    const path = newFile();
    storeWith(path, 12).close();
    const sound = readFileSync(path);
    const truth = new Map(Array.from({ length: 12 }, (_, index) => [version(index + 1).hash, index + 1]));
    const seed = Date.now() & 0xffffff;
    const random = seeded(seed);
    let started = 0;
    for (let times = 0; times < DAMAGES; times++) {
      const damaged = join(mkdtempSync(join(directory, "d-")), "node.db");
      copyFileSync(path, damaged);
      if (times % 10 === 0) truncateSync(damaged, random(sound.length));
      else {
        const octets = Buffer.from(sound);
        const at = random(octets.length);
        octets[at] = octets[at]! ^ (1 << random(8));
        writeFileSync(damaged, octets);
      }
      const cache = new NodeCache({
        language: plainLanguage,
        directory: join(damaged, ".."),
        clock: systemClock,
        logger: silentLogger,
      });
      await cache.open();
      for await (const { snapshot } of cache.candidates()) {
        started += 1;
        assert.equal(truth.get(snapshot.hash), snapshot.version, `seed ${seed}, damage ${times}`);
        assert.deepEqual(snapshot.resources, version(snapshot.version).resources);
      }
      // Writing waits for the disk, so it is tried now and then.
      if (times % 7 === 0)
        assert.equal(await cache.save(version(13)), "", `seed ${seed}, damage ${times}: nothing can be kept any more`);
      await cache.close();
      rmSync(join(damaged, ".."), { recursive: true });
    }
    assert.ok(started > DAMAGES, "most damage leaves something to start with");
  });
});
