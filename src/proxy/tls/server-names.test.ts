import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createSecureContext, type SecureContext } from "node:tls";
import { ServerNames } from "./server-names.ts";
import type { CertificatePair } from "./tls-material.ts";

describe("the certificate for a host", () => {
  const pair = (certFile: string, ...hosts: string[]): CertificatePair => ({
    ...{ certFile, keyFile: "", cert: "", key: "", hosts, notAfterMs: 0, serial: "" },
  });
  const made = new Map<SecureContext, string>();
  const names = new ServerNames(
    [pair("exact", "api.test"), pair("wild", "*.test", "api.test"), pair("deep", "*.b.test")],
    ({ certFile }) => {
      const context = createSecureContext();
      made.set(context, certFile);
      return context;
    },
  );
  const shownTo = (host: string) => {
    const context = names.contextFor(host);
    return context && made.get(context);
  };

  it("is the one with its exact name, the first where there are several", () => {
    assert.equal(shownTo("api.test"), "exact");
    assert.equal(shownTo("API.test"), "exact");
  });

  it("is else the one with a wildcard, which stands for exactly one label", () => {
    assert.equal(shownTo("www.test"), "wild");
    assert.equal(shownTo("a.b.test"), "deep");
    assert.equal(shownTo("b.test"), "wild");
    for (const host of ["test", "x.a.b.test", ".test", "", "other"]) assert.equal(shownTo(host), undefined, host);
  });

  it("is made once", () => {
    assert.equal(names.contextFor("www.test"), names.contextFor("web.test"));
    assert.equal(made.size, 3);
  });
});
