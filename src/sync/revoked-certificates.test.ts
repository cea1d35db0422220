import assert from "node:assert/strict";
import { test } from "node:test";
import type { Revocation } from "../config/revocation-list.ts";
import { RevokedCertificates } from "./revoked-certificates.ts";

const REVOKED_AT = Date.UTC(2026, 0, 2);
const CERTIFICATE = {
  ...{
    subject: "CN=n",
    der: new Uint8Array(),
    serialNumber: "5f",
    fingerprint: "aa",
    keyFingerprint: "kk",
    uriNames: [],
  },
  ...{ notBeforeMs: REVOKED_AT, notAfterMs: 2e12 },
};

function faultOf(revocation: Pick<Revocation, "kind" | "value">, change: object = {}): string | undefined {
  const revoked = new RevokedCertificates();
  revoked.replace([{ ...revocation, reason: "it was stolen", revokedAt: REVOKED_AT, revokedBy: "ada" }]);
  return revoked.faultOf("edge-1", { ...CERTIFICATE, ...change });
}

test("a certificate is refused by its serial number and by its fingerprint, with the time and the reason", () => {
  const sentence = "its certificate was revoked at 2026-01-02T00:00:00.000Z (it was stolen)";
  assert.equal(faultOf({ kind: "serial", value: "5f" }), sentence);
  assert.equal(faultOf({ kind: "fingerprint", value: "aa" }), sentence);
  assert.equal(faultOf({ kind: "serial", value: "aa" }), undefined);
});

test("a node is refused with every certificate that began before it was revoked, and let in with a later one", () => {
  assert.match(faultOf({ kind: "node", value: "edge-1" })!, /node edge-1 was revoked .* begins later/);
  assert.equal(faultOf({ kind: "node", value: "edge-1" }, { notBeforeMs: REVOKED_AT + 1 }), undefined);
  assert.equal(faultOf({ kind: "node", value: "edge-2" }), undefined);
});
