import assert from "node:assert/strict";
import { test } from "node:test";
import { tellIdentityStory } from "../support/identity-story.ts";

test("a fleet of 100 under changes has its certificates renewed, loses one revoked node, and changes its authority", async (test) => {
  const figures = await tellIdentityStory(100);
  // How long it took is for people; `npm run bench -- identity` records it on a quiet machine.
  test.diagnostic(JSON.stringify(figures));
  assert.ok(figures.versions > 1);
});
