import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { formatHash, stateHash } from "../../src/config/state-hash.ts";
import { systemClock } from "../../src/core/clock.ts";
import { STORE_SCHEMA } from "../../src/store/sqlite/schema.ts";
import { SqliteStore } from "../../src/store/sqlite/sqlite-store.ts";
import { describeAuditLog } from "./audit-log.ts";
import { stateOfVersion } from "./crashing-committer.ts";
import { describeJoinTokenStore } from "./join-token-store.ts";
import { commitOf, describeRevisionLog, isFailure, route } from "./revision-log.ts";
import { describeRevocationList } from "./revocation-list.ts";
import type { StoreHarness } from "./store-harness.ts";
import { describeTokenStore } from "./token-store.ts";

const newDirectory = () => mkdtempSync(join(tmpdir(), "runway-revisions-"));

const newHarness = async (): Promise<StoreHarness> => {
  const directory = newDirectory();
  return {
    newStore: (now) => new SqliteStore({ directory, clock: { ...systemClock, now } }),
    destroy: async () => rmSync(directory, { recursive: true }),
  };
};

describeRevisionLog("SQLite", newHarness);
describeAuditLog("SQLite", newHarness);
describeTokenStore("SQLite", newHarness);
describeRevocationList("SQLite", newHarness);
describeJoinTokenStore("SQLite", newHarness);

describe("the file of a SQLite store", () => {
  let directory: string;
  const openStore = async (path = directory) => {
    const store = new SqliteStore({ directory: path, clock: systemClock, busyTimeoutMs: 10 });
    await store.open();
    return store;
  };
  const editDatabase = (sql: string) => {
    const database = new DatabaseSync(join(directory, "revisions.db"));
    database.exec(sql);
    database.close();
  };
  const commitTwo = async () => {
    const store = await openStore();
    await store.revisions.commit(commitOf(route("a")));
    await store.revisions.commit(commitOf(route("b")));
    await store.close();
  };

  beforeEach(() => {
    directory = newDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("can be read by nobody else, nor can the files beside it and directories that were made for it", async () => {
    const store = await openStore(join(directory, "made", "here"));
    await store.revisions.commit(commitOf(route("a")));
    const mode = (...path: string[]) => statSync(join(directory, "made", ...path)).mode & 0o777;
    assert.deepEqual([mode(), mode("here")], [0o700, 0o700]);
    const files = readdirSync(join(directory, "made", "here"));
    assert.ok(files.includes("revisions.db-wal"), files.join());
    for (const file of files) assert.equal(mode("here", file), 0o600, file);
    await store.close();
  });

  it("is refused with advice when it is not a database", async () => {
    writeFileSync(join(directory, "revisions.db"), "this is no database at all".repeat(100));
    await assert.rejects(
      openStore(),
      isFailure("storeUnavailable", /revisions\.db .*restore a backup, or move it away/),
    );
  });

  it("is refused when it is another program's", async () => {
    editDatabase("CREATE TABLE recipe (name TEXT)");
    await assert.rejects(
      openStore(),
      isFailure("storeUnavailable", /is not a revision log; point to another directory/),
    );
  });

  it("is refused when a newer runway wrote it", async () => {
    await commitTwo();
    editDatabase("PRAGMA user_version = 99");
    await assert.rejects(openStore(), isFailure("storeUnavailable", /written by a newer runway/));
  });

  it("is refused when its content is not what was committed", async () => {
    await commitTwo();
    editDatabase(`UPDATE resource SET spec = '{"path":"/evil"}' WHERE id = 'b'`);
    await assert.rejects(openStore(), isFailure("storeUnavailable", /Version 2 in .* is damaged/));
  });

  it("is refused when its directory cannot be one", async () => {
    writeFileSync(join(directory, "file"), "");
    await assert.rejects(openStore(join(directory, "file")), isFailure("storeUnavailable", /not a directory/));
    mkdirSync(join(directory, "revisions.db"));
    await assert.rejects(openStore(), isFailure("storeUnavailable", /it is a directory/));
  });

  it("does not wait for ever for another process that writes", async () => {
    const store = await openStore();
    const other = new DatabaseSync(join(directory, "revisions.db"));
    other.exec("BEGIN IMMEDIATE");
    await assert.rejects(
      store.revisions.commit(commitOf(route("a"))),
      isFailure("storeUnavailable", /another process holds it/),
    );
    other.exec("ROLLBACK");
    other.close();
    assert.equal((await store.revisions.commit(commitOf(route("a")))).revision.version, 1);
    await store.close();
  });

  it("costs what a commit changes: unchanged resources are not written again", async () => {
    const store = await openStore();
    const many = Array.from({ length: 500 }, (_, number) => route(`r${number}`));
    await store.revisions.commit(commitOf(...many));
    await store.revisions.commit(commitOf(...many.slice(1), route("new")));
    await store.close();
    const database = new DatabaseSync(join(directory, "revisions.db"));
    assert.equal(database.prepare("SELECT count(*) AS count FROM resource").get()?.count, 501);
    database.close();
  });

  it("brings a file of the first form to the newest: versions, contents and what the file held stay", async () => {
    const path = join(directory, "revisions.db");
    const old = new DatabaseSync(path);
    old.exec(STORE_SCHEMA.migrations[0]!);
    old.exec(`PRAGMA application_id = ${STORE_SCHEMA.applicationId}; PRAGMA user_version = 1;`);
    const hashes = [[route("a")], [route("b")]].map((state) => formatHash(stateHash(state)));
    old.exec(`INSERT INTO fact VALUES ('epoch', '0d9c1f1e-4b8e-4f57-8a5c-6a2b3c4d5e6f'), ('file_hash', '${hashes[1]}');
      INSERT INTO revision VALUES (1, '${hashes[0]}', 'file', 'init', '', 5), (2, '${hashes[1]}', 'file', 'file', '', 6);
      INSERT INTO resource VALUES ('route', 'a', 1, 2, '${JSON.stringify(route("a").spec)}'),
                                  ('route', 'b', 2, NULL, '${JSON.stringify(route("b").spec)}');`);
    old.close();
    const store = await openStore();
    assert.equal(await store.open(), "0d9c1f1e-4b8e-4f57-8a5c-6a2b3c4d5e6f");
    assert.deepEqual((await store.revisions.get(1))?.resources, [route("a")]);
    assert.deepEqual((await store.revisions.head())?.resources, [route("b")]);
    assert.equal((await store.revisions.commit(commitOf(route("b")))).created, false);
    assert.equal((await store.revisions.commit(commitOf(route("c")))).revision.version, 3);
    await store.close();
  });

  it("holds every acknowledged version, whole and without gaps, after kill -9 at any moment", async () => {
    for (let round = 0; round < 4; round++) {
      const acknowledged = await commitUntilKilled(directory, 3 + round * 7);
      const store = await openStore();
      const head = await store.revisions.head();
      assert.ok(head!.version >= acknowledged, `${head?.version} of ${acknowledged}`);
      for (let version = 1; version <= head!.version; version++)
        assert.deepEqual(
          (await store.revisions.get(version))?.resources,
          stateOfVersion(version),
          `version ${version}`,
        );
      await store.close();
    }
  });
});

/** Lets a process commit version after version and kills it in the middle. Answers the last version it told. */
async function commitUntilKilled(directory: string, commits: number): Promise<number> {
  const program = new URL("crashing-committer.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [program, directory], { stdio: ["ignore", "pipe", "inherit"] });
  const closed = once(child, "close");
  let last = 0;
  let count = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    last = Number(line);
    count += 1;
    if (count === commits) child.kill("SIGKILL");
  }
  await closed;
  assert.equal(child.signalCode, "SIGKILL");
  return last;
}
