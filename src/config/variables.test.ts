import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { escapeVariables, replaceVariables, variableNames } from "./variables.ts";

describe("variables", () => {
  const replace = (text: string, variables = {}) => {
    const unset = new Set<string>();
    return { text: replaceVariables(text, variables, unset), unset: [...unset] };
  };

  it("are replaced wherever they stand in a text, and their values are not read again", () => {
    const variables = { HOST: "db", PORT: "1", NESTED: "${HOST}" };
    assert.equal(replace("http://${HOST}:${PORT}/${NESTED}", variables).text, "http://db:1/${HOST}");
  });

  it("are told when they are not set, those that every object has included", () => {
    assert.deepEqual(replace("${A}-${toString}").unset, ["A", "toString"]);
  });

  it("leave secret references and other dollars alone", () => {
    for (const text of ["${env:HOST}", "${file:/run/secret}", "$HOST", "${1A}", "${}", "a$b"])
      assert.deepEqual(replace(text, { HOST: "x" }), { text, unset: [] });
  });

  it("can be written as text with two dollars", () => {
    assert.deepEqual(replace("$${HOST}", { HOST: "x" }), { text: "${HOST}", unset: [] });
    assert.deepEqual(variableNames("${A} $${B} ${env:C}"), ["A"]);
  });

  it("every text can be written so that reading gives it back", () => {
    const text = fc.string({ unit: fc.constantFrom("$", "{", "}", "A", "${A}", "$${B}", "${env:C}", " ") });
    fc.assert(fc.property(text, (value) => assert.equal(replace(escapeVariables(value), { A: "?" }).text, value)));
  });
});
