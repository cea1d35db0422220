import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { test } from "node:test";
import { descendants, usageOfTree } from "./process-tree.ts";

const stat = (pid: number, parentPid: number) => ({ pid, parentPid, cpuMs: 1, rssBytes: 1 });

test("grandchildren belong to the tree, siblings of the root do not", () => {
  const all = [stat(1, 0), stat(4, 3), stat(2, 1), stat(3, 2), stat(9, 1)];
  assert.deepEqual(
    descendants(2, all).map(({ pid }) => pid),
    [2, 3, 4],
  );
});

test("the usage of a tree holds what its children use", async () => {
  const before = usageOfTree(process.pid);
  const child = spawn(process.execPath, ["-e", "console.log('up'); process.stdin.resume()"]);
  try {
    await once(child.stdout, "data");
    assert.ok(usageOfTree(process.pid).rssBytes > before.rssBytes + 10_000_000);
  } finally {
    child.kill("SIGKILL");
    await once(child, "close");
  }
});

test("a process that has ended is an error and not a zero", async () => {
  const child = spawn(process.execPath, ["-e", ""]);
  await once(child, "close");
  assert.throws(() => usageOfTree(child.pid!), /has ended/);
});
