import assert from "node:assert/strict";
import { fork } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { plainLanguage } from "../config/testing/plain-language.ts";
import { systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/ports.ts";
import { NodeCache } from "./node-cache.ts";
import { snapshotOf } from "./testing/messages.ts";

const directory = mkdtempSync(join(tmpdir(), "runway-cache-crash-"));
after(() => rmSync(directory, { recursive: true, force: true }));
const SAVER = new URL("./testing/saving-process.ts", import.meta.url);

/** Kills a process that saves after it has told `saves` versions. @returns the last version it told */
async function saveUntilKilled(saves: number): Promise<number> {
  const saver = fork(SAVER, [directory], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  let last = 0;
  saver.on("message", (version: number) => {
    last = version;
    saves -= 1;
    if (saves <= 0) saver.kill("SIGKILL");
  });
  await once(saver, "exit");
  return last;
}

test("a process killed at any moment of saving leaves a complete configuration, never older than the last it had saved", async () => {
  for (const saves of [1, 2, 3, 5, 8, 13]) {
    const last = await saveUntilKilled(saves);
    const cache = new NodeCache({ language: plainLanguage, directory, clock: systemClock, logger: silentLogger });
    await cache.open();
    const candidates = await Array.fromAsync(cache.candidates());
    await cache.close();
    assert.equal(cache.error, "");
    assert.ok(candidates[0]!.snapshot.version >= last);
    for (const { source, snapshot } of candidates) {
      if (source === "generation") assert.deepEqual(snapshot, snapshotOf(snapshot.version));
      else assert.deepEqual(snapshot.resources.length, 1);
    }
    assert.equal(candidates.at(-1)?.source, "config.yaml");
  }
});
