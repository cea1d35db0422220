import assert from "node:assert/strict";
import { test } from "node:test";
import { parseProcStat, readProcStat } from "./proc-stat.ts";

test("CPU time is user and kernel time, own and of children waited for", () => {
  const line = "4711 (nginx) S 4700 1 1 0 -1 4 10 0 0 0 150 250 3 4 20 0 1 0 900 1000000 512 18446744073709551615\n";
  assert.deepEqual(parseProcStat(line), { pid: 4711, parentPid: 4700, cpuMs: 4_070, rssBytes: 512 * 4_096 });
});

test("a process name with spaces and parentheses does not shift the fields", () => {
  const line = "12 (a) (odd name) R 7 1 1 0 -1 4 10 0 0 0 1 2 0 0 20 0 1 0 900 1000000 3 0\n";
  assert.deepEqual(parseProcStat(line), { pid: 12, parentPid: 7, cpuMs: 30, rssBytes: 3 * 4_096 });
});

test("the test's own process is read from the running system", () => {
  const stat = readProcStat(process.pid);
  assert.equal(stat.pid, process.pid);
  assert.equal(stat.parentPid, process.ppid);
  assert.ok(stat.rssBytes > 1_000_000, `resident ${stat.rssBytes}`);
});
