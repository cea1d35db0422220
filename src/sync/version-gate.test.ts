import assert from "node:assert/strict";
import { test } from "node:test";
import { describeMismatch, majorMinor } from "./version-gate.ts";

const TABLE: readonly (readonly [string, string, boolean])[] = [
  ["1.4.0", "1.4.1", true],
  ["1.4.0", "1.5.0", false],
  ["1.4.0", "2.4.0", false],
  ["v1.4.0", "1.4.2", true],
  ["1.4", "1.4.0", true],
  ["1", "1", true],
  ["1", "2", false],
  ["dev", "dev", true],
];

for (const [controlPlane, dataPlane, fits] of TABLE)
  test(`a data plane ${dataPlane} ${fits ? "fits" : "does not fit"} a control plane ${controlPlane}`, () => {
    assert.equal(describeMismatch(controlPlane, dataPlane) === undefined, fits);
  });

test("a pre-release counts as its major and minor version", () => {
  assert.equal(majorMinor("2.0.0-rc1"), "2.0");
});

test("a mismatch is told in the sentence of the contract", () => {
  assert.equal(describeMismatch("1.4.0", "1.5.0"), "version mismatch: CP=1.4.0 DP=1.5.0 (major.minor must match)");
});

test("where minor versions may differ, a data plane may be older and not newer, and the major version is the same", () => {
  for (const version of ["1.4.9", "1.3.0", "1.0.0"])
    assert.equal(describeMismatch("1.4.0", version, "minor"), undefined);
  assert.match(describeMismatch("1.4.0", "1.5.0", "minor") ?? "", /a data plane must not be newer/);
  assert.match(describeMismatch("1.10.0", "2.9.0", "minor") ?? "", /major must match/);
  assert.equal(describeMismatch("1.10.0", "1.9.0", "minor"), undefined);
  assert.match(describeMismatch("dev", "1.4.0", "minor") ?? "", /major must match/);
});
