import assert from "node:assert/strict";
import { test } from "node:test";
import { findProgram, requireTools } from "./debian-tools.ts";
import { Refusal } from "./refusal.ts";

test("all missing programs are named at once, with the packages to install", () => {
  const find = (name: string) => (name === "git" ? "/usr/bin/git" : undefined);
  assert.throws(() => requireTools(["wrk", "git", "taskset", "wrk"], find), {
    name: Refusal.name,
    message: /^needs wrk, taskset\..*apt-get install wrk util-linux$/,
  });
});

test("nothing is refused when everything is there", () => {
  requireTools(["git"], () => "/usr/bin/git");
});

test("a program is found on the path, one that does not exist is not", () => {
  assert.match(findProgram("sh") ?? "", /\/sh$/);
  assert.equal(findProgram("no-such-program"), undefined);
});
