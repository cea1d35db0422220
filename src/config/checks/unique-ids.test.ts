import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkResources } from "../compile.ts";
import { plainLanguage } from "../testing/plain-language.ts";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

describe("ids", () => {
  const listener = (id: string) => `{id: ${id}, address: ":0"}`;

  it("are unique in their kind", () => {
    assert.equal(
      onlyProblemOf(`listeners: [${listener("a")}, ${listener("a")}]`),
      'listeners[1].id: listeners[0] has the id "a" too; ids have to be unique',
    );
  });

  it("may be used by several kinds", () => {
    const text = `listeners: [${listener("a")}]\nupstreams: {a: {backends: [{url: "http://a"}]}}`;
    assert.deepEqual(problemsOf(text), []);
  });

  it("are unique among resources without a document", () => {
    const resource = { kind: "listener", id: "a", spec: { address: ":0" } } as const;
    assert.deepEqual(checkResources(plainLanguage, [resource, resource]), [
      { kind: "listener", id: "a", path: "id", message: 'another listener has the id "a" too; ids have to be unique' },
    ]);
  });
});
