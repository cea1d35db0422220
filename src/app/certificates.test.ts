import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { controlPlaneViews, SampleDesk, SampleFleet, sampleNode, sharedViews, startAdmin } from "../admin/testing.ts";
import { EXIT } from "./exit-codes.ts";
import { runInProcess } from "./testing.ts";

const FINGERPRINT = "ab".repeat(32);

describe("runway certificates", () => {
  let server: Awaited<ReturnType<typeof startAdmin>>;
  let directory: string;
  const run = (...args: string[]) => runInProcess([...args, "--admin", server.url]);

  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "runway-certificates-"));
    const certificate = { subject: "CN=edge-1", notAfterMs: 2e12, fingerprint: FINGERPRINT };
    const fleet = new SampleFleet(sampleNode("edge-1", { certificate }));
    server = await startAdmin({ ...sharedViews(), ...controlPlaneViews(new SampleDesk(), fleet) });
  });
  after(async () => {
    await server.stop(AbortSignal.timeout(1_000));
    await rm(directory, { recursive: true });
  });

  it("revoke a node together with the certificate that it is known by", async () => {
    const { code, out } = await run("nodes", "revoke", "edge-1", "--reason", "it was stolen");
    assert.equal(code, EXIT.ok);
    assert.equal(out, `The node edge-1 is revoked.\nThe fingerprint ${FINGERPRINT} is revoked.\n`);
  });

  it("revoke a certificate by its serial number, its fingerprint or its file", async () => {
    await runInProcess(["pki", "init", "--dir", directory]);
    const file = join(directory, "ca.crt");
    for (const [args, sentence] of [
      [["00:5F:0A"], /^The serial 5f0a is revoked/],
      [["CD".repeat(32)], /^The fingerprint (cd){32} is revoked/],
      [["--file", file], /^The fingerprint [0-9a-f]{64} is revoked/],
    ] as const)
      assert.match((await run("certificates", "revoke", ...args)).out, sentence);
  });

  it("list what was revoked, and take a mistake back", async () => {
    await run("certificates", "revoke", "77", "--reason", "a mistake");
    assert.match((await run("certificates", "revoked")).out, /serial +77 +\S+ +anonymous@127\.0\.0\.1 +a mistake/);
    assert.equal((await run("certificates", "reinstate", "serial", "77")).out, "The serial 77 is accepted again.\n");
    const again = await run("certificates", "reinstate", "serial", "77");
    assert.equal(again.code, EXIT.failed);
    assert.match(again.err, /No serial "77" is revoked/);
  });

  it("refuse what names no certificate, and say so", async () => {
    assert.match(
      (await run("certificates", "revoke", "edge-1")).err,
      /neither a serial number nor a SHA-256 fingerprint/,
    );
    assert.match((await run("certificates", "revoke")).err, /Name the certificate/);
    assert.match((await run("certificates", "revoke", "--file", "/nowhere")).err, /cannot be read as a certificate/);
  });
});
