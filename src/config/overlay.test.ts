import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EMPTY_OVERLAY, overlayListeners, overlayNode } from "./overlay.ts";
import type { Resource } from "./resource.ts";

const listener = (id: string, address: string): Resource => ({ kind: "listener", id, spec: { address } });
const logging = (level: string): Resource => ({ kind: "settings", id: "logging", spec: { level } });

describe("overlayListeners", () => {
  it("puts a node's own listener in the place of the one with its id", () => {
    const result = overlayListeners([listener("http", ":80"), listener("other", ":81")], [listener("http", ":8080")]);
    assert.deepEqual(result, [listener("http", ":8080"), listener("other", ":81")]);
  });

  it("lets the node's own win a port that both want", () => {
    const result = overlayListeners(
      [listener("http", ":8080"), listener("more", ":81")],
      [listener("own", "127.0.0.1:8080")],
    );
    assert.deepEqual(result, [listener("more", ":81"), listener("own", "127.0.0.1:8080")]);
  });

  it("changes nothing without own listeners", () => {
    assert.deepEqual(overlayListeners([listener("http", ":80")], []), [listener("http", ":80")]);
  });
});

describe("overlayNode", () => {
  it("prefers logging of the environment to the configuration's, and that to the node's file", () => {
    const overlay = { ...EMPTY_OVERLAY, logging: { level: "warn" } };
    assert.deepEqual(overlayNode([], overlay), [logging("warn")]);
    assert.deepEqual(overlayNode([logging("info")], overlay), [logging("info")]);
    assert.deepEqual(overlayNode([logging("info")], { ...overlay, loggingOverride: { level: "debug" } }), [
      logging("debug"),
    ]);
  });

  it("adds no settings of its own", () => {
    assert.deepEqual(overlayNode([listener("a", ":0")], EMPTY_OVERLAY), [listener("a", ":0")]);
  });
});
