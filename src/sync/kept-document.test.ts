import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, beforeEach, describe, it } from "node:test";
import { parseDocument, toResources } from "../config/document.ts";
import { inCanonicalOrder, type Resource } from "../config/resource.ts";
import { plainLanguage } from "../config/testing/plain-language.ts";
import { KeptDocument } from "./kept-document.ts";
import { ManualClock } from "./testing/manual-clock.ts";

describe("a kept document", () => {
  const directory = mkdtempSync(join(tmpdir(), "runway-document-"));
  after(() => rmSync(directory, { recursive: true, force: true }));
  const path = join(directory, "config.yaml");
  const failures: unknown[] = [];
  let clock: ManualClock;
  let document: KeptDocument;
  beforeEach(() => {
    rmSync(path, { force: true });
    clock = new ManualClock();
    document = new KeptDocument({ path, clock, onFailed: (error) => failures.push(error) });
  });
  after(() => assert.deepEqual(failures, []));

  const routes = (count: number, path = "/r"): Resource[] =>
    inCanonicalOrder(
      Array.from({ length: count }, (_, n) => {
        const spec = { path: `${path}${n}`, backends: [{ url: "http://127.0.0.1:1" }] };
        return { kind: "route", id: `r${n}`, spec };
      }),
    );

  function kept(): Resource[] {
    const document = parseDocument(plainLanguage, readFileSync(path, "utf8"));
    assert.ok(document.ok);
    return toResources(document.value);
  }

  it("of a few resources is there when `follow` answers", async () => {
    await document.follow(routes(3));
    assert.deepEqual(kept(), routes(3));
  });

  it("of many is made in pieces, is then the whole, and is what was the newest when it was begun", async () => {
    await document.follow(routes(2_000));
    assert.throws(kept, /ENOENT/, "nobody waits for it");
    await document.follow(routes(2_000, "/later"));
    await document.finish();
    assert.deepEqual(kept(), routes(2_000, "/later"));
  });

  it("is not written again before it has rested, then the newest of what came meanwhile", async () => {
    let monotonicMs = 0;
    clock.monotonicMs = () => monotonicMs++;
    await document.follow(routes(1));
    for (const count of [2, 3]) await document.follow(routes(count));
    assert.equal(kept().length, 1);
    clock.monotonicMs = () => monotonicMs;
    clock.advance(10_000);
    await document.finish();
    assert.equal(kept().length, 3);
  });

  it("that was put off is written at the end, but for a deadline that has come", async () => {
    await document.follow(routes(1));
    await document.follow(routes(2));
    await document.finish(AbortSignal.abort());
    assert.equal(kept().length, 1);
    await document.follow(routes(2));
    await document.finish();
    assert.equal(kept().length, 2);
  });
});
