import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import { parseDocument } from "../document.ts";
import { Language } from "../language.ts";

const keysOf = ({ keys }: Readonly<Record<string, unknown>>) =>
  Object.fromEntries((keys as string[]).map((key, index) => [`keys[${index}]`, key]));
const badge = {
  name: "badge",
  authenticates: true,
  config: z.strictObject({}),
  credentials: { config: z.strictObject({ keys: z.array(z.string()) }), keysOf },
} as const;
const language = new Language([badge, { ...badge, name: "ticket" }]);

function problemsOf(consumers: string): string[] {
  const document = parseDocument(language, `consumers: ${consumers}`);
  return document.ok ? [] : document.problems.map(({ path, message }) => `${path}: ${message}`);
}

describe("the keys of consumers", () => {
  it("are each of one consumer, and both places are named", () => {
    assert.deepEqual(problemsOf("{ alice: { badge: { keys: [a, b] } }, b.ob: { badge: { keys: [c, b, a] } } }"), [
      'consumers["b.ob"].badge.keys[1]: is the same as consumers.alice.badge.keys[1], so nobody could tell who is meant',
      'consumers["b.ob"].badge.keys[2]: is the same as consumers.alice.badge.keys[0], so nobody could tell who is meant',
    ]);
    assert.deepEqual(problemsOf("{ alice: { badge: { keys: [a, a] } } }"), [
      "consumers.alice.badge.keys[1]: is the same as consumers.alice.badge.keys[0], so nobody could tell who is meant",
    ]);
  });

  it("are different for different plugins", () => {
    assert.deepEqual(problemsOf("{ alice: { badge: { keys: [a] } }, bob: { ticket: { keys: [a] } } }"), []);
  });
});
