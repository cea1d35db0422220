import assert from "node:assert/strict";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { startOrigin } from "./origin.ts";
import { Trickle } from "./trickle.ts";

describe("Trickle", () => {
  it("shares requests among targets and counts answers and failures of each", async (test) => {
    const origin = await startOrigin(0);
    test.after(() => origin.close());
    const { port } = origin.address() as AddressInfo;
    const trickle = new Trickle([`http://127.0.0.1:${port}`, "http://127.0.0.1:1"], 200);
    await trickle.start();
    test.after(() => trickle.stop());
    const [well, ill] = trickle.counts();
    const end = performance.now() + 10_000;
    while ((well!.answered < 10 || ill!.failed < 10) && performance.now() < end) await pause(10);
    assert.ok(well!.answered >= 10 && ill!.failed >= 10);
    assert.equal(well!.failed, 0);
    assert.equal(ill!.answered, 0);
  });
});
