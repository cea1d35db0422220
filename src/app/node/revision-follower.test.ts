import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { type Clock, systemClock } from "../../core/clock.ts";
import { type Logger, silentLogger, silentMeter } from "../../core/ports.ts";
import { SqliteStore } from "../../store/sqlite/sqlite-store.ts";
import { RevisionFollower } from "./revision-follower.ts";

const directory = mkdtempSync(join(tmpdir(), "runway-follower-"));
after(() => rmSync(directory, { recursive: true }));

test("a version that cannot be taken over is tried again and again, and not more often than the log can bear", async () => {
  const store = new SqliteStore({ directory, clock: systemClock });
  await store.open();
  await store.revisions.commit({ resources: [], author: "ada", source: "admin-api", message: "" });
  /** Pauses pass at once, and are added up. */
  let passedMs = 0;
  const clock: Clock = {
    ...systemClock,
    after(delayMs, action) {
      const next = setImmediate(() => {
        passedMs += delayMs;
        action();
      });
      return () => clearImmediate(next);
    },
  };
  let complaints = 0;
  const logger: Logger = { ...silentLogger, error: () => void complaints++ };
  const { promise: taken, resolve } = Promise.withResolvers<void>();
  let afterwards = 0;
  const follower = new RevisionFollower({
    store,
    adopt: async () => {
      if (passedMs < 60_000) throw new Error("no worker is there");
      if (++afterwards === 10) resolve();
    },
    lookAlso: async () => {},
    pollIntervalMs: 200,
    ...{ clock, logger, meter: silentMeter },
  });
  await follower.start();
  await taken;
  await follower.stop();
  await store.close();
  assert.ok(complaints >= 30 && complaints < 40, `${complaints} complaints in a minute`);
  assert.ok(passedMs < 65_000, "once it was taken over, looks are as frequent as before");
});
