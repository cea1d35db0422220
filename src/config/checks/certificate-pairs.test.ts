import assert from "node:assert/strict";
import { generateKeyPairSync } from "node:crypto";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

const { privateKey } = generateKeyPairSync("ec", {
  namedCurve: "P-256",
  privateKeyEncoding: { type: "pkcs8", format: "pem" },
  publicKeyEncoding: { type: "spki", format: "pem" },
});
const BROKEN = "-----BEGIN CERTIFICATE-----\\nAAAA\\n-----END CERTIFICATE-----\\n";
const inYaml = (pem: string) => pem.replaceAll("\n", "\\n");

describe("certificates", () => {
  it("and keys that are written inline can be read; what cannot is not quoted", () => {
    const problem = onlyProblemOf(`certificates: { a: { cert: "${BROKEN}", key: "${inYaml(privateKey)}" } }`);
    assert.equal(problem, "certificates.a.cert: is no certificate that can be read");
    const key = "-----BEGIN PRIVATE KEY-----\\nhunter2\\n-----END PRIVATE KEY-----";
    const unreadable = problemsOf(`certificates: { a: { cert_file: /a, key: "${key}" } }`);
    assert.match(unreadable.join(), /certificates\.a\.key: is no key that can be read/);
    assert.doesNotMatch(unreadable.join(), /hunter2/);
  });

  it("have one certificate and one key each, inline, as a reference or in a file", () => {
    const ok = '{ cert_file: /a, key: "${file:/run/key}", hosts: [a.test] }';
    assert.deepEqual(problemsOf(`certificates: { a: ${ok} }`), []);
    assert.match(problemsOf("certificates: { a: { key_file: /a } }").join(), /needs one of cert and cert_file/);
    assert.match(problemsOf("certificates: { a: { cert_file: /a } }").join(), /needs one of key and key_file/);
    assert.match(problemsOf("certificates: { a: { cert: x, key_file: /a } }").join(), /must be a certificate in PEM/);
  });

  it("are enough for a listener that names none itself", () => {
    const listener = "listeners: [{ id: a, address: ':1', tls: { enabled: true } }]\n";
    assert.match(problemsOf(listener).join(), /tls\.cert_file/);
    assert.deepEqual(problemsOf(`${listener}certificates: { a: { cert_file: /a, key_file: /b } }`), []);
  });
});
