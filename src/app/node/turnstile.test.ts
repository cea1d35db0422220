import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { Turnstile } from "./turnstile.ts";

describe("Turnstile", () => {
  it("runs tasks one at a time, in the order of asking, also after one failed", async () => {
    const turnstile = new Turnstile();
    const seen: string[] = [];
    const first = Promise.withResolvers<void>();
    const results = [
      turnstile.run(async () => {
        seen.push("first begins");
        await first.promise;
        seen.push("first ends");
        throw new Error("first failed");
      }),
      turnstile.run(async () => seen.push("second")),
    ];
    first.resolve();
    const [one, two] = await Promise.allSettled(results);
    assert.equal(one?.status, "rejected");
    assert.equal(two?.status, "fulfilled");
    assert.deepEqual(seen, ["first begins", "first ends", "second"]);
  });

  it("refuses a task when too many wait already", async () => {
    const turnstile = new Turnstile(1);
    const gate = Promise.withResolvers<void>();
    const first = turnstile.run(() => gate.promise);
    await assert.rejects(
      turnstile.run(async () => {}),
      { kind: "overloaded" },
    );
    gate.resolve();
    await first;
    await turnstile.run(async () => {});
  });
});
