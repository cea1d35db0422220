import assert from "node:assert/strict";
import { test } from "node:test";
import { waitUntil } from "./wait-until.ts";

const signal = new AbortController().signal;

test("a condition is asked again until it holds, even when it throws at first", async () => {
  let asked = 0;
  const condition = () => {
    asked += 1;
    if (asked === 1) throw new Error("not yet");
    return asked === 3;
  };
  await waitUntil("the third time", condition, { timeoutMs: 5_000, signal });
  assert.equal(asked, 3);
});

test("waiting in vain names what was waited for and why it did not come", async () => {
  const cause = new Error("refused");
  const wait = waitUntil("the port", () => Promise.reject(cause), { timeoutMs: 1, signal });
  await assert.rejects(wait, { message: /the port/, cause });
});

test("an aborted wait ends with the reason of the signal", async () => {
  const stop = new AbortController();
  const wait = waitUntil("never", () => false, { timeoutMs: 60_000, signal: stop.signal });
  stop.abort(new Error("stopped"));
  await assert.rejects(wait, (error: Error) => error.name === "AbortError" || error.message === "stopped");
});
