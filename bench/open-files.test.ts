import assert from "node:assert/strict";
import { test } from "node:test";
import { requireOpenFiles } from "./open-files.ts";
import { Refusal } from "./refusal.ts";

test("too small a limit is refused with the command that raises it", () => {
  assert.throws(() => requireOpenFiles(1_000, 1_024), { name: Refusal.name, message: /ulimit -n 1256/ });
});

test("a limit that is large enough passes, and so does the system's own for a handful", () => {
  requireOpenFiles(1_000, 1_256);
  requireOpenFiles(1);
});
