import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { describe, it } from "node:test";
import { LineOutput } from "./line-output.ts";

describe("LineOutput", () => {
  it("writes every line once and in order, also those that wait for a flush", async (test) => {
    const directory = await mkdtemp(join(tmpdir(), "runway-lines-"));
    test.after(() => rm(directory, { recursive: true }));
    const path = join(directory, "log");
    const descriptor = openSync(path, "w");
    const output = new LineOutput(descriptor);
    const lines = Array.from({ length: 1_000 }, (_, number) => `line ${number}\n`);
    for (const line of lines) output.write(line);
    await new Promise((later) => setImmediate(later));
    const deadline = performance.now() + 5_000;
    while (readFileSync(path, "utf8").length < lines.join("").length && performance.now() < deadline)
      await new Promise((later) => setImmediate(later));
    output.write("last\n");
    output.flush();
    assert.equal(readFileSync(path, "utf8").replace(/last\n$/, ""), lines.join(""));
    closeSync(descriptor);
    assert.equal(output.dropped, 0);
  });

  it("drops lines, not the event loop or the process, when nobody reads", async () => {
    const script = `
      import { LineOutput } from ${JSON.stringify(new URL("./line-output.ts", import.meta.url).href)};
      const output = new LineOutput(1);
      const line = "x".repeat(65_535) + "\\n";
      for (let count = 0; count < 200; count++) output.write(line);
      setImmediate(() => {
        process.stderr.write(String(output.dropped));
        process.exit(0);
      });`;
    const child = spawn(process.execPath, ["--input-type=module", "-e", script], { stdio: ["ignore", "pipe", "pipe"] });
    const dropped = Number(await text(child.stderr));
    child.stdout.destroy();
    assert.ok(dropped > 100 && dropped < 200, `dropped ${dropped}`);
  });
});
