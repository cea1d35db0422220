import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

const listener = (proxyProtocol: string) => `listeners: [{ id: a, address: ":80", proxy_protocol: ${proxyProtocol} }]`;

describe("the PROXY protocol of a listener", () => {
  it("names networks only where it is spoken", () => {
    assert.deepEqual(problemsOf(listener("{enabled: true}")), []);
    assert.deepEqual(problemsOf(listener('{enabled: true, cidrs: [10.0.0.0/8, "fd00::/8"]}')), []);
    const forgotten = onlyProblemOf(listener("{cidrs: [10.0.0.0/8]}"));
    assert.match(forgotten, /^listeners\[0\]\.proxy_protocol\.enabled: is false, .* would not be used/);
    assert.match(onlyProblemOf(listener("{enabled: true, cidrs: [10.0.0.1]}")), /cidrs\[0\]: must be a network/);
  });
});
