import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { Store } from "../../src/config/store.ts";
import type { Token } from "../../src/config/token-store.ts";
import { OpenStores, type StoreHarness } from "./store-harness.ts";

const DAY_MS = 86_400_000;

/** What every store of tokens has to do. */
export function describeTokenStore(name: string, newHarness: () => Promise<StoreHarness>): void {
  describe(`the tokens in ${name}`, () => {
    const stores = new OpenStores(newHarness);
    let store: Store;

    beforeEach(async () => {
      await stores.begin();
      store = await stores.open();
    });
    afterEach(() => stores.end());

    it("are found by the hash of their secret, from whichever store on the storage", async () => {
      await store.tokens.add(token("t1", { expiresAt: 9_000 }));
      const other = await stores.open();
      assert.deepEqual(await other.tokens.find("hash of t1"), token("t1", { expiresAt: 9_000 }));
      assert.equal(await other.tokens.find("hash of another"), undefined);
    });

    it("are listed newest first", async () => {
      await store.tokens.add(token("t1", { createdAt: 1 }));
      await store.tokens.add(token("t2", { createdAt: 2 }));
      assert.deepEqual(
        (await store.tokens.list()).map(({ id }) => id),
        ["t2", "t1"],
      );
    });

    it("are revoked once and for good, and seen as revoked", async () => {
      await store.tokens.add(token("t1"));
      stores.now = 5_000;
      assert.equal((await store.tokens.revoke("t1", "ada"))?.revokedAt, 5_000);
      stores.now = 6_000;
      assert.equal((await store.tokens.revoke("t1", "ada"))?.revokedAt, 5_000);
      assert.equal((await store.tokens.find("hash of t1"))?.revokedAt, 5_000);
      assert.equal(await store.tokens.revoke("t2", "ada"), undefined);
    });

    it("leave their making and revoking in the audit log, and nothing by which they could be used", async () => {
      await store.tokens.add(token("t1"));
      await store.tokens.revoke("t1", "ada");
      await store.tokens.revoke("t1", "ada");
      const entries = await store.audit.entries({ limit: 10 });
      assert.deepEqual(
        entries.map(({ action, author }) => [action, author]),
        [
          ["token.create", "root"],
          ["token.revoke", "ada"],
        ],
      );
      assert.deepEqual(entries[0]?.detail, { id: "t1", name: "token t1", role: "viewer", expires_at: null });
    });

    it("are forgotten a month after their end, when the next one is made", async () => {
      await store.tokens.add(token("expires", { expiresAt: 2_000 }));
      await store.tokens.add(token("revoked"));
      await store.tokens.add(token("stays"));
      await store.tokens.revoke("revoked", "ada");
      stores.now = 40 * DAY_MS;
      await store.tokens.add(token("new", { createdAt: stores.now }));
      assert.deepEqual(
        (await store.tokens.list()).map(({ id }) => id),
        ["new", "stays"],
      );
    });
  });
}

function token(id: string, more: Partial<Token> = {}): Token {
  return {
    ...{ id, name: `token ${id}`, role: "viewer", secretHash: `hash of ${id}` },
    ...{ createdAt: 1_000, createdBy: "root" },
    ...more,
  };
}
