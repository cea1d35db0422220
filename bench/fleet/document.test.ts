import assert from "node:assert/strict";
import { test } from "node:test";
import { describeChange, difference } from "../../src/config/difference.ts";
import { parseDocument, toResources } from "../../src/config/document.ts";
import { plainLanguage } from "../../src/config/testing/plain-language.ts";
import { renderDocument } from "./document.ts";

function resources(routes: number, revision: number) {
  const parsed = parseDocument(plainLanguage, renderDocument(routes, revision));
  assert.ok(parsed.ok, JSON.stringify(parsed));
  return toResources(parsed.value);
}

test("the document has as many routes as were asked for, and runway accepts it", () => {
  assert.equal(resources(300, 0).length, 300);
});

test("two revisions differ in one route", () => {
  const changes = difference(resources(20, 1), resources(20, 2));
  assert.deepEqual(changes.map(describeChange), ["route:service-0 changed"]);
});
