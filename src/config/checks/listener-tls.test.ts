import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { onlyProblemOf, problemsOf } from "../testing/problems-of.ts";

const listener = (tls: string) => `listeners: [{ id: a, address: ":443", tls: ${tls} }]`;

describe("TLS of a listener", () => {
  it("is right with one certificate, with several, and with verified clients", () => {
    assert.deepEqual(problemsOf(listener("{enabled: true, cert_file: c, key_file: k}")), []);
    assert.deepEqual(problemsOf(listener("{enabled: true, certificates: [{cert_file: c, key_file: k}]}")), []);
    const verify = "client_auth: verify, client_ca_file: ca, min_version: 1.3";
    assert.deepEqual(problemsOf(listener(`{enabled: true, cert_file: c, key_file: k, ${verify}}`)), []);
    assert.deepEqual(problemsOf(listener("{enabled: false}")), []);
  });

  it("needs a certificate with its key", () => {
    assert.match(onlyProblemOf(listener("{enabled: true}")), /^listeners\[0\]\.tls\.cert_file: is missing/);
    assert.match(onlyProblemOf(listener("{enabled: true, cert_file: c}")), /tls\.key_file: is missing/);
    assert.match(onlyProblemOf(listener("{enabled: true, key_file: k}")), /tls\.cert_file: is missing/);
    const half = listener("{enabled: true, certificates: [{cert_file: c}]}");
    assert.match(onlyProblemOf(half), /tls\.certificates\[0\]\.key_file: is missing/);
  });

  it("verifies clients with authorities, and has none that nobody is verified with", () => {
    const clients = (rest: string) => listener(`{enabled: true, cert_file: c, key_file: k, ${rest}}`);
    assert.match(onlyProblemOf(clients("client_auth: verify")), /tls\.client_ca_file: is missing/);
    assert.match(onlyProblemOf(clients("client_ca_file: ca")), /nobody is verified with it: client_auth is none/);
  });

  it("shows each host one certificate", () => {
    const certificate = (hosts: string) => `{cert_file: c, key_file: k, hosts: [${hosts}]}`;
    const two = (a: string, b: string) =>
      listener(`{enabled: true, certificates: [${certificate(a)}, ${certificate(b)}]}`);
    assert.deepEqual(problemsOf(two('a.test, "*.b.test"', "b.test")), []);
    assert.match(onlyProblemOf(two("a.test", "b.test, A.test")), /certificates\[1\]\.hosts\[1\]: A\.test is shown/);
  });

  it("is not forgotten to be switched on", () => {
    assert.match(onlyProblemOf(listener("{cert_file: c, key_file: k}")), /tls\.enabled: is false, so/);
  });

  it("speaks no version before 1.2", () => {
    assert.match(onlyProblemOf(listener("{min_version: 1.1}")), /min_version/);
  });
});

describe("TLS to targets", () => {
  it("shows a certificate with its key", () => {
    assert.deepEqual(problemsOf("transport: {cert_file: c, key_file: k, ca_file: ca}"), []);
    assert.match(onlyProblemOf("transport: {cert_file: c}"), /^transport\.key_file: is missing/);
    assert.match(onlyProblemOf("transport: {key_file: k}"), /^transport\.cert_file: is missing/);
  });

  it("takes https targets", () => {
    assert.deepEqual(problemsOf("upstreams: {a: {backends: [{url: 'https://backend.test:8443/base'}]}}"), []);
    assert.match(onlyProblemOf("upstreams: {a: {backends: [{url: 'ftp://backend.test'}]}}"), /must be a URL/);
  });
});
