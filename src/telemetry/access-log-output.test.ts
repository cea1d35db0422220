import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/ports.ts";
import { AccessLogOutput } from "./access-log-output.ts";
import { LineOutput } from "./line-output.ts";

describe("the output of the access log", () => {
  const directory = mkdtempSync(join(tmpdir(), "runway-access-log-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const parts = { stdout: new LineOutput(1), logger: silentLogger, clock: systemClock };

  async function holds(file: string, text: string): Promise<void> {
    for (let tries = 0; ; tries++) {
      const found = readFileSync(file, "utf8");
      if (found === text) return;
      if (tries > 500) assert.equal(found, text);
      await pause(5);
    }
  }

  it("writes to a file that only its owner may read, and to a new one once it was moved away", async () => {
    const file = join(directory, "access.log");
    const output = new AccessLogOutput(parts);
    output.target = file;
    output.write(Buffer.from("one\ntwo\n"), 2);
    renameSync(file, `${file}.1`);
    output.write(Buffer.from("three\n"), 1);
    output.reopen();
    output.write(Buffer.from("four\n"), 1);
    await holds(`${file}.1`, "one\ntwo\nthree\n");
    await holds(file, "four\n");
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(output.dropped, 0);
  });

  it("counts lines that cannot be written, says why, and tries again", async () => {
    const said: unknown[] = [];
    const logger = { ...silentLogger, error: (_: string, fields?: Record<string, unknown>) => said.push(fields?.path) };
    let nowMs = 0;
    const output = new AccessLogOutput({ ...parts, logger, clock: { ...systemClock, monotonicMs: () => nowMs } });
    const file = join(directory, "later", "access.log");
    output.target = file;
    output.write(Buffer.from("one\ntwo\n"), 2);
    output.write(Buffer.from("three\n"), 1);
    assert.equal(output.dropped, 3);
    assert.deepEqual(said, [file], "once, and not for each line");
    nowMs += 60_000;
    output.write(Buffer.from("four\n"), 1);
    assert.deepEqual(said, [file, file]);
    output.target = join(directory, "now.log");
    output.write(Buffer.from("five\n"), 1);
    await holds(join(directory, "now.log"), "five\n");
    assert.equal(output.dropped, 4);
  });
});
