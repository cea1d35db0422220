import assert from "node:assert/strict";
import { afterEach, beforeEach, describe, it } from "node:test";
import { type AuditLog, verifyAudit } from "../../src/config/audit-log.ts";
import type { Store } from "../../src/config/store.ts";
import { commitOf, route } from "./revision-log.ts";
import { OpenStores, type StoreHarness } from "./store-harness.ts";

/** What every audit log has to do, whatever store it is in. */
export function describeAuditLog(name: string, newHarness: () => Promise<StoreHarness>): void {
  describe(`the audit log in ${name}`, () => {
    const stores = new OpenStores(newHarness);
    let store: Store;
    let audit: AuditLog;
    const record = (action: string) => ({ author: "ada", action, detail: { id: "t1" } });

    beforeEach(async () => {
      await stores.begin();
      store = await stores.open();
      audit = store.audit;
    });
    afterEach(() => stores.end());

    it("is empty at first, which is in order", async () => {
      assert.deepEqual(await audit.entries({ limit: 10 }), []);
      assert.deepEqual(await verifyAudit(audit), { ok: true, entries: 0, newestHash: "0".repeat(64) });
    });

    it("has an entry for each version: who, what, and a digest of all of it", async () => {
      stores.now = 5_000;
      await store.revisions.commit({ ...commitOf(route("a")), author: "ada", message: "why" });
      await store.revisions.commit({ ...commitOf(route("a")), author: "ada" });
      await store.revisions.commit({ ...commitOf(route("b")), dryRun: true });
      const [entry, ...others] = await audit.entries({ limit: 10 });
      assert.deepEqual(others, []);
      const { number, at, author, action, detail } = entry!;
      assert.deepEqual([number, at, author, action], [1, 5_000, "ada", "configuration.commit"]);
      const { version, message, changes, changes_total: total, content_sha256: content } = detail;
      assert.deepEqual([version, message, changes, total], [1, "why", ["route:a added"], 1]);
      assert.match(String(content), /^[0-9a-f]{64}$/);
    });

    it("chains what is appended with what is committed, from whichever store on the storage", async () => {
      const other = await stores.open();
      await audit.append(record("token.create"));
      await other.revisions.commit(commitOf(route("a")));
      await other.audit.append(record("token.revoke"));
      await store.revisions.commit(commitOf(route("b")));
      const entries = await audit.entries({ limit: 10 });
      assert.deepEqual(
        entries.map(({ number, action }) => [number, action]),
        [
          [1, "token.create"],
          [2, "configuration.commit"],
          [3, "token.revoke"],
          [4, "configuration.commit"],
        ],
      );
      assert.deepEqual(await verifyAudit(audit), { ok: true, entries: 4, newestHash: entries[3]!.hash });
    });

    it("is read in pages", async () => {
      for (let number = 1; number <= 5; number++) await audit.append(record(`a${number}`));
      const page = await audit.entries({ limit: 2, after: 2 });
      assert.deepEqual(
        page.map(({ action }) => action),
        ["a3", "a4"],
      );
    });

    it("shows an entry that was changed, taken out or put elsewhere", async () => {
      for (let number = 1; number <= 3; number++) await audit.append(record(`a${number}`));
      const entries = await audit.entries({ limit: 10 });
      const [first, second, third] = entries as [(typeof entries)[0], (typeof entries)[0], (typeof entries)[0]];
      const verdict = (list: typeof entries) =>
        verifyAudit({ entries: async ({ after }) => ((after ?? 0) === 0 ? list : []) });
      const fault = async (list: typeof entries) => {
        const { ok, ...rest } = await verdict(list);
        return ok ? undefined : (rest as { fault: string }).fault;
      };
      assert.equal(await fault(entries), undefined);
      assert.equal(await fault([first, { ...second, author: "eve" }, third]), "entry 2 was changed");
      assert.equal(await fault([first, third]), "entry 2 is missing");
      assert.equal(await fault([second, third]), "entry 1 is missing");
      assert.equal(await fault([first, { ...third, number: 2 }, third]), "entry 2 does not follow the one before it");
    });
  });
}
