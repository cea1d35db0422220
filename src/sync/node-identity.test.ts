import assert from "node:assert/strict";
import { test } from "node:test";
import { judgeClaim } from "./node-identity.ts";

const PLAIN = {
  ...{
    subject: "CN=x",
    der: new Uint8Array(),
    serialNumber: "1",
    fingerprint: "ff",
    keyFingerprint: "aa",
    uriNames: [],
  },
  ...{ notBeforeMs: 0, notAfterMs: 0 },
};

function named(...uriNames: readonly string[]) {
  return { ...PLAIN, uriNames };
}

test("a named certificate speaks for its node alone, whoever had the id before", () => {
  const certificate = named("spiffe://td/node/a");
  assert.deepEqual(judgeClaim("a", certificate, "sha256:bb", undefined), {
    allowed: true,
    owner: "spiffe://td/node/a",
  });
  assert.equal(judgeClaim("b", certificate, undefined, undefined).allowed, false);
});

test("with a trust domain, names of another one count for nothing", () => {
  assert.equal(judgeClaim("a", named("spiffe://td/node/a"), undefined, "td").allowed, true);
  assert.equal(judgeClaim("a", named("spiffe://other/node/a"), undefined, "td").allowed, false);
});

test("a SPIFFE name that is not a node's, such as a control plane's, speaks for no node", () => {
  assert.equal(judgeClaim("a", named("spiffe://td/control-plane"), undefined, undefined).allowed, false);
  assert.equal(judgeClaim("a", named("spiffe://td/node/a/b"), undefined, undefined).allowed, false);
});

test("other URI names do not count as names of nodes", () => {
  assert.equal(judgeClaim("a", named("https://example.com/node/b"), undefined, undefined).allowed, true);
});

test("a certificate without a name owns the ids that its key claims first", () => {
  assert.deepEqual(judgeClaim("a", PLAIN, undefined, undefined), { allowed: true, owner: "sha256:aa" });
  assert.equal(judgeClaim("a", PLAIN, "sha256:aa", undefined).allowed, true);
  assert.equal(judgeClaim("a", PLAIN, "sha256:bb", undefined).allowed, false);
  assert.equal(judgeClaim("a", PLAIN, "spiffe://td/node/a", undefined).allowed, false);
});
