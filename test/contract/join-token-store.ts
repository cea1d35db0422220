import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import type { JoinRequest, JoinToken } from "../../src/config/join-token-store.ts";
import type { Store } from "../../src/config/store.ts";
import { OpenStores, type StoreHarness } from "./store-harness.ts";

const DAY_MS = 86_400_000;

/** What every store of join tokens has to do. */
export function describeJoinTokenStore(name: string, newHarness: () => Promise<StoreHarness>): void {
  describe(`the join tokens in ${name}`, () => {
    const stores = new OpenStores(newHarness);
    let store: Store;
    const use = (secret: string, more: Partial<JoinRequest> = {}, by = store) =>
      by.joinTokens.use({
        ...{ secretHash: `hash of ${secret}`, nodeId: undefined, freshId: "fresh", keyFingerprint: "key 1" },
        ...{ isTaken: () => false, revokedAt: () => undefined },
        ...more,
      });

    beforeEach(async () => {
      await stores.begin();
      store = await stores.open();
    });
    afterEach(() => stores.end());

    it("let in one node, by the id they were made for, the one it wants or a fresh one", async () => {
      await store.joinTokens.add(token("bound", { nodeId: "edge-1" }));
      await store.joinTokens.add(token("free"));
      await store.joinTokens.add(token("idle"));
      assert.deepEqual(await use("bound"), { allowed: true, nodeId: "edge-1" });
      assert.deepEqual(await use("free", { nodeId: "edge-2" }), { allowed: true, nodeId: "edge-2" });
      assert.deepEqual(await use("idle"), { allowed: true, nodeId: "fresh" });
    });

    it("are used by one key, which may ask again, and by no other", async () => {
      await store.joinTokens.add(token("t"));
      await use("t", { nodeId: "edge-1" });
      stores.now = 2_000;
      assert.deepEqual(await use("t", { freshId: "another" }), { allowed: true, nodeId: "edge-1" });
      const other = await use("t", { keyFingerprint: "key 2" });
      assert.match(detailOf(other), /was used at 1970-01-01T00:00:01.000Z, by node edge-1/);
    });

    it("are used by one of many that ask at the same moment, at several stores", async () => {
      await store.joinTokens.add(token("t"));
      const asking = [store, await stores.open(), await stores.open()];
      const verdicts = await Promise.all(
        Array.from({ length: 12 }, (_, number) =>
          use("t", { keyFingerprint: `key ${number}`, nodeId: `edge-${number}` }, asking[number % asking.length]),
        ),
      );
      const winners = verdicts.flatMap((verdict) => (verdict.allowed ? [verdict.nodeId] : []));
      assert.equal(winners.length, 1);
      assert.equal((await store.joinTokens.list())[0]?.use?.nodeId, winners[0]);
    });

    it("refuse whoever is not known, too late, or wants to be another node", async () => {
      await store.joinTokens.add(token("t", { nodeId: "edge-1" }));
      assert.match(detailOf(await use("unknown")), /is not known/);
      assert.match(detailOf(await use("t", { nodeId: "edge-2" })), /is for node edge-1, not for edge-2/);
      stores.now = 10_000;
      assert.match(detailOf(await use("t")), /has expired at 1970-01-01T00:00:10.000Z/);
    });

    it("give nobody the id of a node that exists, but where they were made for it", async () => {
      for (const id of ["first", "second", "third"]) await store.joinTokens.add(token(id));
      await store.joinTokens.add(token("bound", { nodeId: "edge-1" }));
      await use("first", { nodeId: "edge-1" });
      const taken = { nodeId: "edge-1", keyFingerprint: "key 2" };
      assert.match(detailOf(await use("second", taken)), /edge-1 exists already/);
      assert.match(detailOf(await use("third", { ...taken, nodeId: "edge-3", isTaken: () => true })), /exists already/);
      assert.deepEqual(await use("bound", taken), { allowed: true, nodeId: "edge-1" });
    });

    it("let in no node that was revoked after they were made", async () => {
      await store.joinTokens.add(token("before", { nodeId: "edge-1" }));
      await store.joinTokens.add(token("after", { nodeId: "edge-1", createdAt: 3_000 }));
      const revokedAt = () => 2_000;
      assert.match(detailOf(await use("before", { revokedAt })), /edge-1 was revoked after the token was made/);
      assert.deepEqual(await use("after", { revokedAt }), { allowed: true, nodeId: "edge-1" });
    });

    it("are gone when they are revoked, and a month after their end", async () => {
      for (const id of ["revoked", "old"]) await store.joinTokens.add(token(id));
      assert.equal(await store.joinTokens.revoke("revoked", "ada"), true);
      assert.equal(await store.joinTokens.revoke("revoked", "ada"), false);
      assert.match(detailOf(await use("revoked")), /is not known/);
      stores.now = 40 * DAY_MS;
      await store.joinTokens.add(token("new", { createdAt: stores.now, expiresAt: stores.now + 1 }));
      assert.deepEqual(await store.joinTokens.list(), [
        token("new", { createdAt: stores.now, expiresAt: stores.now + 1 }),
      ]);
    });

    it("leave their making, their first use and their revoking in the audit log", async () => {
      await store.joinTokens.add(token("t", { nodeId: "edge-1" }));
      await use("t");
      await use("t");
      await store.joinTokens.revoke("t", "ada");
      const entries = await store.audit.entries({ limit: 10 });
      assert.deepEqual(
        entries.map(({ action, author, detail }) => [action, author, detail]),
        [
          ["join_token.create", "root", { id: "t", node_id: "edge-1", expires_at: 10_000 }],
          ["node.join", "node edge-1", { node_id: "edge-1", token: "t", key: "key 1" }],
          ["join_token.revoke", "ada", { id: "t", node_id: "edge-1", expires_at: 10_000 }],
        ],
      );
    });
  });
}

function token(id: string, more: Partial<JoinToken> = {}): JoinToken {
  return { id, secretHash: `hash of ${id}`, createdAt: 1_000, createdBy: "root", expiresAt: 10_000, ...more };
}

function detailOf(verdict: Awaited<ReturnType<Store["joinTokens"]["use"]>>): string {
  return verdict.allowed ? `let in as ${verdict.nodeId}` : verdict.detail;
}
