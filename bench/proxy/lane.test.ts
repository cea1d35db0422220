import assert from "node:assert/strict";
import { test } from "node:test";
import { planLanes } from "./lane.ts";
import type { Feature, Subject } from "./subject.ts";

function subject(name: string, features: readonly Feature[] = []): Subject {
  const start = () => Promise.reject(new Error("nobody starts it here"));
  return { name, features, needs: [], version: async () => "1", start };
}

test("the last subject is the baseline of all", () => {
  const { lanes } = planLanes({ requires: [] }, [subject("a"), subject("b"), subject("c")]);
  assert.deepEqual(
    lanes.map(({ name, baseline }) => [name, baseline]),
    [
      ["a", "c"],
      ["b", "c"],
      ["c", "c"],
    ],
  );
});

test("a subject that lacks a feature is named with what it lacks, and the others go on", () => {
  const subjects = [subject("a", ["tls"]), subject("b", ["tls", "http2"]), subject("c", [])];
  const { lanes, missing } = planLanes({ requires: ["tls", "http2"] }, subjects);
  assert.deepEqual(missing, [
    { subject: "a", features: ["http2"] },
    { subject: "c", features: ["tls", "http2"] },
  ]);
  assert.deepEqual(
    lanes.map(({ name, baseline }) => [name, baseline]),
    [["b", "b"]],
  );
});

test("with variants a subject is compared with itself", () => {
  const workload = { requires: [], variants: [{ name: "off" }, { name: "on" }] } as const;
  assert.deepEqual(
    planLanes(workload, [subject("a")]).lanes.map(({ name, baseline }) => [name, baseline]),
    [
      ["a, off", "a, off"],
      ["a, on", "a, off"],
    ],
  );
});
