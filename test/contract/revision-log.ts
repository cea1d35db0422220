import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import fc from "fast-check";
import { applyDelta } from "../../src/config/delta.ts";
import { describeChange } from "../../src/config/difference.ts";
import { inCanonicalOrder, type Resource, type ResourceRef } from "../../src/config/resource.ts";
import type { CommitRequest, RevisionLog } from "../../src/config/revision-log.ts";
import { stateHash } from "../../src/config/state-hash.ts";
import type { Store } from "../../src/config/store.ts";
import { anyState } from "../../src/config/testing/any-resources.ts";
import { RunwayError } from "../../src/core/failure.ts";
import { OpenStores, type StoreHarness } from "./store-harness.ts";

/** What every log of revisions has to do, whatever store it is in. */
export function describeRevisionLog(name: string, newHarness: () => Promise<StoreHarness>): void {
  describe(`the revision log in ${name}`, () => {
    const stores = new OpenStores(newHarness);
    let store: Store;
    let log: RevisionLog;

    const openAnew = async (): Promise<void> => {
      await store?.close();
      store = await stores.open();
      log = store.revisions;
    };

    beforeEach(async () => {
      await stores.begin();
      store = await stores.open();
      log = store.revisions;
    });
    afterEach(() => stores.end());

    it("has an epoch that is made once and stays", async () => {
      const epoch = await store.open();
      assert.match(epoch, /^[0-9a-f-]{36}$/);
      await openAnew();
      assert.equal(await store.open(), epoch);
    });

    it("is empty at first", async () => {
      assert.equal(await log.head(), undefined);
      assert.equal(await log.get(1), undefined);
      assert.equal(await log.lastFromFile(), undefined);
      assert.deepEqual(await log.history({ limit: 10 }), []);
    });

    it("counts versions from 1, and keeps who made each, when and why", async () => {
      const first = await log.commit({ ...commitOf(route("a")), author: "file", message: "first" });
      stores.now = 2_000;
      await log.commit({ ...commitOf(route("a"), route("b")), author: "ada", source: "admin-api", message: "second" });
      assert.deepEqual(first.changes.map(describeChange), ["route:a added"]);
      const summaries = await log.history({ limit: 10 });
      assert.deepEqual(
        summaries.map(({ version, author, source, message, committedAt }) => [
          version,
          author,
          source,
          message,
          committedAt,
        ]),
        [
          [2, "ada", "admin-api", "second", 2_000],
          [1, "file", "file", "first", 1_000],
        ],
      );
      assert.equal(summaries[0]!.epoch, await store.open());
      assert.equal(summaries[1]!.hash, stateHash([route("a")]));
    });

    it("answers changes in canonical order", async () => {
      await log.commit(commitOf(route("a", "/a"), route("b", "/b"), upstream("u")));
      const { changes } = await log.commit(commitOf(route("c", "/c"), route("b", "/B")));
      assert.deepEqual(changes.map(describeChange), [
        "route:a removed",
        "route:b changed",
        "route:c added",
        "upstream:u removed",
      ]);
    });

    it("makes no version for the state that is there, however it is written down", async () => {
      const { revision } = await log.commit(commitOf({ kind: "route", id: "a", spec: { path: "/", upstream: "u" } }));
      const again = await log.commit({
        ...commitOf({ kind: "route", id: "a", spec: { upstream: "u", path: "/" } }),
        source: "admin-api",
      });
      assert.deepEqual([again.created, again.changes], [false, []]);
      assert.deepEqual(again.revision, revision);
      assert.equal((await log.history({ limit: 10 })).length, 1);
    });

    it("makes a version for a first state without resources", async () => {
      const { created, revision } = await log.commit(commitOf());
      assert.deepEqual([created, revision.version, revision.hash], [true, 1, 0n]);
    });

    it("takes a change of some resources as it takes the whole state", async () => {
      await log.commit(commitOf(route("a"), route("b"), route("c")));
      const { revision, changes, delta } = await log.commit(
        commitOfDelta([route("b", "/B"), route("d")], [{ kind: "route", id: "a" }]),
      );
      const expected = [route("b", "/B"), route("c"), route("d")];
      assert.deepEqual(revision.resources, expected);
      assert.equal(revision.hash, stateHash(expected));
      assert.deepEqual(changes.map(describeChange), ["route:a removed", "route:b changed", "route:d added"]);
      assert.deepEqual(delta.removals, [{ kind: "route", id: "a" }]);
      assert.deepEqual((await log.get(2))?.resources, expected);
    });

    it("makes no version for a change that changes nothing", async () => {
      await log.commit(commitOf(route("a")));
      const { created, revision } = await log.commit(
        commitOfDelta([route("a")], [{ kind: "route", id: "was never there" }]),
      );
      assert.deepEqual([created, revision.version], [false, 1]);
    });

    it("tells what differs between any two versions, both ways and from nothing", async () => {
      await log.commit(commitOf(route("a"), route("b")));
      await log.commit(commitOf(route("a", "/A"), route("b")));
      await log.commit(commitOf(route("a"), route("c")));
      const told = async (from: number, to: number) => {
        const { changes, upserts, replaced } = (await log.delta(from, to))!;
        return [changes.map(describeChange), upserts, replaced];
      };
      assert.deepEqual(await told(1, 2), [["route:a changed"], [route("a", "/A")], [route("a")]]);
      assert.deepEqual(await told(2, 1), [["route:a changed"], [route("a")], [route("a", "/A")]]);
      assert.deepEqual(await told(1, 3), [["route:b removed", "route:c added"], [route("c")], [route("b")]]);
      assert.deepEqual(await told(0, 3), [["route:a added", "route:c added"], [route("a"), route("c")], []]);
      assert.deepEqual(await told(3, 3), [[], [], []]);
      assert.equal(await log.delta(1, 4), undefined);
    });

    it("leads from any version to any other by what it tells", async () => {
      const versions = fc.array(anyState, { minLength: 2, maxLength: 5 });
      await fc.assert(
        fc.asyncProperty(versions, async (states) => {
          const start = (await log.head())?.version ?? 0;
          for (const resources of states) await log.commit({ ...commitOf(...resources), source: "admin-api" });
          const newest = (await log.head())!.version;
          for (let from = start; from <= newest; from++)
            for (let to = Math.max(1, start); to <= newest; to++) {
              const before = (await log.get(from))?.resources ?? [];
              const after = await log.get(to);
              assert.deepEqual(applyDelta(before, (await log.delta(from, to))!), after?.resources);
            }
        }),
        { numRuns: 8 },
      );
    });

    it("forgets versions that nobody wants: not the newest few, not young ones, not those from the floor on", async () => {
      for (let number = 1; number <= 10; number++) {
        stores.now = number * 1_000;
        await log.commit(commitOf(route("stays"), route(`r${number}`)));
      }
      const kept = async () => (await log.history({ limit: 100 })).map(({ version }) => version).reverse();
      stores.now = 10_500;
      assert.equal(await log.prune({ versions: 1, ageMs: 0, floor: 3 }), 2);
      assert.deepEqual(await kept(), [3, 4, 5, 6, 7, 8, 9, 10]);
      assert.equal(await log.prune({ versions: 6, ageMs: 0, floor: 100 }), 2);
      assert.equal(await log.prune({ versions: 1, ageMs: 3_600, floor: 100 }), 2);
      assert.deepEqual(await kept(), [7, 8, 9, 10]);
      assert.equal(await log.get(6), undefined);
      assert.equal(await log.delta(6, 8), undefined);
      assert.deepEqual((await log.get(7))?.resources, inCanonicalOrder([route("stays"), route("r7")]));
      assert.deepEqual((await log.delta(7, 10))?.changes.map(describeChange), ["route:r10 added", "route:r7 removed"]);
      assert.equal(await log.prune({ versions: 1, ageMs: 0, floor: 100 }), 3);
      assert.deepEqual(await kept(), [10]);
      await openAnew();
      assert.equal((await log.commit(commitOf(route("next")))).revision.version, 11);
    });

    it("refuses a commit that was built on another version, and changes nothing", async () => {
      await log.commit({ ...commitOf(route("a")), expectedVersion: 0 });
      await log.commit({ ...commitOf(route("b")), expectedVersion: 1 });
      for (const expectedVersion of [0, 1, 3])
        await assert.rejects(log.commit({ ...commitOf(route("c")), expectedVersion }), isFailure("versionConflict"));
      assert.equal((await log.head())?.version, 2);
    });

    it("rehearses a commit: the answer is that of the commit, and nothing has changed", async () => {
      await log.commit(commitOf(route("a")));
      const request = commitOf(route("b"));
      const rehearsed = await log.commit({ ...request, dryRun: true });
      assert.equal((await log.head())?.version, 1);
      assert.equal(await log.lastFromFile(), stateHash([route("a")]));
      assert.deepEqual(await log.commit(request), rehearsed);
    });

    it("lets a file that nobody touched undo nothing that came over the admin API", async () => {
      await log.commit({ ...commitOf(route("file")), source: "init" });
      await log.commit({ ...commitOf(route("pushed")), source: "admin-api" });
      await openAnew();
      assert.equal((await log.head())?.source, "admin-api");
      const restart = await log.commit(commitOf(route("file")));
      assert.deepEqual([restart.created, restart.changes, restart.revision.version], [false, [], 2]);
      const edited = await log.commit(commitOf(route("edited")));
      assert.deepEqual([edited.created, edited.revision.version], [true, 3]);
    });

    it("remembers what the file held also when that made no version", async () => {
      await log.commit(commitOf(route("file")));
      await log.commit({ ...commitOf(route("pushed")), source: "admin-api" });
      assert.equal((await log.commit(commitOf(route("pushed")))).created, false);
      assert.equal(await log.lastFromFile(), stateHash([route("pushed")]));
      const back = await log.commit(commitOf(route("file")));
      assert.deepEqual([back.created, back.revision.version], [true, 3]);
    });

    it("pages through its history from the newest", async () => {
      for (let number = 1; number <= 5; number++) await log.commit(commitOf(route(`r${number}`)));
      const versions = async (page: { limit: number; before?: number }) =>
        (await log.history(page)).map(({ version }) => version);
      assert.deepEqual(await versions({ limit: 2 }), [5, 4]);
      assert.deepEqual(await versions({ limit: 2, before: 4 }), [3, 2]);
      assert.deepEqual(await versions({ limit: 10, before: 2 }), [1]);
    });

    it("keeps a frozen copy of the newest version at hand", async () => {
      await log.commit(commitOf(route("a")));
      const head = await log.head();
      assert.throws(() => Object.assign(head!.resources[0]!.spec, { path: "/other" }), TypeError);
    });

    it("shows two logs on one storage the same versions, and lets neither overwrite the other's", async () => {
      const other = (await stores.open()).revisions;
      await log.commit(commitOf(route("a")));
      await other.commit({ ...commitOf(route("a"), route("b")), source: "admin-api" });
      assert.equal((await log.head())?.version, 2);
      const { revision, changes } = await log.commit({ ...commitOf(route("b")), source: "admin-api" });
      assert.equal(revision.version, 3);
      assert.deepEqual(changes.map(describeChange), ["route:a removed"]);
      assert.deepEqual((await other.head())?.resources, [route("b")]);
      await assert.rejects(other.commit({ ...commitOf(), expectedVersion: 2 }), isFailure("versionConflict"));
    });

    it("says so when it is used while closed", async () => {
      await store.close();
      await assert.rejects(log.head(), isFailure("storeUnavailable"));
      await assert.rejects(log.commit(commitOf()), isFailure("storeUnavailable"));
    });

    it("gives back every version as it was committed, also after it was opened anew", async () => {
      await fc.assert(
        fc.asyncProperty(fc.array(anyState, { minLength: 1, maxLength: 6 }), async (states) => {
          const expected: Resource[][] = [];
          const start = (await log.head())?.version ?? 0;
          for (const resources of states) {
            const { created, revision } = await log.commit({ ...commitOf(...resources), source: "admin-api" });
            assert.equal(revision.hash, stateHash(resources));
            if (created) expected.push(resources);
          }
          await openAnew();
          for (const [index, resources] of expected.entries()) {
            const revision = await log.get(start + index + 1);
            assert.deepEqual(revision?.resources, inCanonicalOrder(resources));
            assert.equal(revision?.hash, stateHash(resources));
          }
          assert.equal((await log.head())?.version, start + expected.length);
        }),
        { numRuns: 20 },
      );
    });
  });
}

export function isFailure(kind: RunwayError["kind"], message = /./): (error: unknown) => boolean {
  return (error) => error instanceof RunwayError && error.kind === kind && message.test(error.message);
}

export function route(id: string, path = `/${id}`): Resource {
  return { kind: "route", id, spec: { path, backends: [{ url: "http://x" }] } };
}

function upstream(id: string): Resource {
  return { kind: "upstream", id, spec: { backends: [{ url: "http://x" }] } };
}

export function commitOf(...resources: Resource[]): CommitRequest {
  return { resources, author: "test", source: "file", message: "" };
}

function commitOfDelta(upserts: Resource[], removals: ResourceRef[]): CommitRequest {
  return { delta: { upserts, removals }, author: "test", source: "admin-api", message: "" };
}
