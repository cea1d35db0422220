import assert from "node:assert/strict";
import { test } from "node:test";
import { MEASURED_CORE } from "./cores.ts";
import { PinnedProcess } from "./pinned-process.ts";
import { usageOfTree } from "./process-tree.ts";

const signal = new AbortController().signal;

test("a program that ends before it is ready is an error that shows what it said", async () => {
  await using failing = await PinnedProcess.start(MEASURED_CORE, "sh", ["-c", "echo port is taken >&2; exit 3"]);
  await assert.rejects(
    failing.ready(async () => false, signal),
    /port is taken/,
  );
});

test("a process is gone when it has been disposed of, and its usage with it", async () => {
  const sleeping = await PinnedProcess.start(MEASURED_CORE, "sleep", ["60"]);
  const { pid } = sleeping;
  assert.ok(sleeping.usage().rssBytes > 0);
  await sleeping[Symbol.asyncDispose]();
  assert.throws(() => usageOfTree(pid), /has ended/);
});
