import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Revocation } from "../../src/config/revocation-list.ts";
import type { Store } from "../../src/config/store.ts";
import { OpenStores, type StoreHarness } from "./store-harness.ts";

const DAY_MS = 86_400_000;

/** What every list of what was revoked has to do. */
export function describeRevocationList(name: string, newHarness: () => Promise<StoreHarness>): void {
  describe(`what was revoked in ${name}`, () => {
    const stores = new OpenStores(newHarness);
    let store: Store;

    beforeEach(async () => {
      await stores.begin();
      store = await stores.open();
    });
    afterEach(() => stores.end());

    it("is listed newest first, from whichever store on the storage", async () => {
      await store.revocations.add([revocation("serial", "ab", { expiresAt: 9_000 })]);
      await store.revocations.add([revocation("node", "edge-1", { revokedAt: 2_000, reason: "it was\0 stolen" })]);
      assert.deepEqual(await (await stores.open()).revocations.list(), [
        revocation("node", "edge-1", { revokedAt: 2_000, reason: "it was\ufffd stolen" }),
        revocation("serial", "ab", { expiresAt: 9_000 }),
      ]);
    });

    it("is revoked anew, from now on, when it is revoked again", async () => {
      await store.revocations.add([revocation("node", "edge-1")]);
      const again = revocation("node", "edge-1", { revokedAt: 5_000, revokedBy: "bo", reason: "again" });
      await store.revocations.add([again]);
      assert.deepEqual(await store.revocations.list(), [again]);
    });

    it("is accepted again when the revocation is lifted", async () => {
      await store.revocations.add([revocation("node", "edge-1"), revocation("serial", "edge-1")]);
      assert.equal(await store.revocations.lift("serial", "edge-1", "ada"), true);
      assert.equal(await store.revocations.lift("serial", "edge-1", "ada"), false);
      assert.deepEqual(await store.revocations.list(), [revocation("node", "edge-1")]);
    });

    it("has another mark after each change, and the same one without", async () => {
      const marks = [await store.revocations.mark()];
      await store.revocations.add([revocation("serial", "ab")]);
      marks.push(await store.revocations.mark());
      await store.revocations.lift("serial", "ab", "ada");
      marks.push(await (await stores.open()).revocations.mark());
      assert.equal(new Set(marks).size, 3);
      await store.revocations.lift("serial", "ab", "ada");
      assert.equal(await store.revocations.mark(), marks[2]);
    });

    it("leaves each change in the audit log", async () => {
      await store.revocations.add([revocation("serial", "ab"), revocation("node", "edge-1")]);
      await store.revocations.lift("serial", "ab", "bo");
      await store.revocations.lift("serial", "ab", "bo");
      const entries = await store.audit.entries({ limit: 10 });
      assert.deepEqual(
        entries.map(({ action, author, detail }) => [action, author, detail]),
        [
          ["certificate.revoke", "ada", { serial: "ab", reason: "lost" }],
          ["certificate.revoke", "ada", { node: "edge-1", reason: "lost" }],
          ["certificate.reinstate", "bo", { serial: "ab" }],
        ],
      );
    });

    it("is forgotten a day after its certificate has ended, when the next one comes", async () => {
      await store.revocations.add([revocation("serial", "ab", { expiresAt: 2_000 }), revocation("node", "edge-1")]);
      stores.now = 3 * DAY_MS;
      await store.revocations.add([revocation("serial", "cd", { revokedAt: stores.now })]);
      assert.deepEqual(
        (await store.revocations.list()).map(({ value }) => value),
        ["cd", "edge-1"],
      );
    });
  });
}

function revocation(kind: Revocation["kind"], value: string, more: Partial<Revocation> = {}): Revocation {
  return { kind, value, reason: "lost", revokedAt: 1_000, revokedBy: "ada", ...more };
}
