import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { DatabaseSync } from "node:sqlite";
import { afterEach, beforeEach, describe, it } from "node:test";
import { systemClock } from "../../src/core/clock.ts";
import { SqliteRevisionLog } from "../../src/store/sqlite/sqlite-revision-log.ts";
import { stateOfVersion } from "./crashing-committer.ts";
import { commitOf, describeRevisionLog, isFailure, route } from "./revision-log.ts";

const newDirectory = () => mkdtempSync(join(tmpdir(), "runway-revisions-"));

describeRevisionLog("the revision log in SQLite", async () => {
  const directory = newDirectory();
  return {
    newLog: (now) => new SqliteRevisionLog({ directory, clock: { ...systemClock, now } }),
    destroy: async () => rmSync(directory, { recursive: true }),
  };
});

describe("the file of the revision log", () => {
  let directory: string;
  const openLog = async (path = directory) => {
    const log = new SqliteRevisionLog({ directory: path, clock: systemClock, busyTimeoutMs: 10 });
    await log.open();
    return log;
  };
  const editDatabase = (sql: string) => {
    const database = new DatabaseSync(join(directory, "revisions.db"));
    database.exec(sql);
    database.close();
  };
  const commitTwo = async () => {
    const log = await openLog();
    await log.commit(commitOf(route("a")));
    await log.commit(commitOf(route("b")));
    await log.close();
  };

  beforeEach(() => {
    directory = newDirectory();
  });
  afterEach(() => rmSync(directory, { recursive: true }));

  it("can be read by nobody else, nor can the files beside it and directories that were made for it", async () => {
    const log = await openLog(join(directory, "made", "here"));
    await log.commit(commitOf(route("a")));
    const mode = (...path: string[]) => statSync(join(directory, "made", ...path)).mode & 0o777;
    assert.deepEqual([mode(), mode("here")], [0o700, 0o700]);
    const files = readdirSync(join(directory, "made", "here"));
    assert.ok(files.includes("revisions.db-wal"), files.join());
    for (const file of files) assert.equal(mode("here", file), 0o600, file);
    await log.close();
  });

  it("is refused with advice when it is not a database", async () => {
    writeFileSync(join(directory, "revisions.db"), "this is no database at all".repeat(100));
    await assert.rejects(openLog(), isFailure("storeUnavailable", /revisions\.db .*restore a backup, or move it away/));
  });

  it("is refused when it is another program's", async () => {
    editDatabase("CREATE TABLE recipe (name TEXT)");
    await assert.rejects(openLog(), isFailure("storeUnavailable", /is not a revision log; point to another directory/));
  });

  it("is refused when a newer runway wrote it", async () => {
    await commitTwo();
    editDatabase("PRAGMA user_version = 99");
    await assert.rejects(openLog(), isFailure("storeUnavailable", /written by a newer runway/));
  });

  it("is refused when its content is not what was committed", async () => {
    await commitTwo();
    editDatabase(`UPDATE resource SET spec = '{"path":"/evil"}' WHERE id = 'b'`);
    await assert.rejects(openLog(), isFailure("storeUnavailable", /Version 2 in .* is damaged/));
  });

  it("is refused when its directory cannot be one", async () => {
    writeFileSync(join(directory, "file"), "");
    await assert.rejects(openLog(join(directory, "file")), isFailure("storeUnavailable", /not a directory/));
    mkdirSync(join(directory, "revisions.db"));
    await assert.rejects(openLog(), isFailure("storeUnavailable", /it is a directory/));
  });

  it("does not wait for ever for another process that writes", async () => {
    const log = await openLog();
    const other = new DatabaseSync(join(directory, "revisions.db"));
    other.exec("BEGIN IMMEDIATE");
    await assert.rejects(log.commit(commitOf(route("a"))), isFailure("storeUnavailable", /another process holds it/));
    other.exec("ROLLBACK");
    other.close();
    assert.equal((await log.commit(commitOf(route("a")))).revision.version, 1);
    await log.close();
  });

  it("costs what a commit changes: unchanged resources are not written again", async () => {
    const log = await openLog();
    const many = Array.from({ length: 500 }, (_, number) => route(`r${number}`));
    await log.commit(commitOf(...many));
    await log.commit(commitOf(...many.slice(1), route("new")));
    await log.close();
    const database = new DatabaseSync(join(directory, "revisions.db"));
    assert.equal(database.prepare("SELECT count(*) AS count FROM resource").get()?.count, 501);
    database.close();
  });

  it("holds every acknowledged version, whole and without gaps, after kill -9 at any moment", async () => {
    for (let round = 0; round < 4; round++) {
      const acknowledged = await commitUntilKilled(directory, 3 + round * 7);
      const log = await openLog();
      const head = await log.head();
      assert.ok(head!.version >= acknowledged, `${head?.version} of ${acknowledged}`);
      for (let version = 1; version <= head!.version; version++)
        assert.deepEqual((await log.get(version))?.resources, stateOfVersion(version), `version ${version}`);
      await log.close();
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
