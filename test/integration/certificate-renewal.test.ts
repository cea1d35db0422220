import assert from "node:assert/strict";
import { createPrivateKey, X509Certificate } from "node:crypto";
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, it } from "node:test";
import { CertificateRenewal } from "../../src/app/node/certificate-renewal.ts";
import { createRequest, requestedKey } from "../../src/app/pki/certificate-request.ts";
import { IdentityFiles } from "../../src/app/pki/identity-files.ts";
import { NodeAuthority } from "../../src/app/pki/node-authority.ts";
import type { Json, JsonObject } from "../../src/config/json.ts";
import { ManualClock } from "../../src/sync/testing/manual-clock.ts";
import { createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { RecordingLogger } from "../support/recording-logger.ts";

const HOUR_MS = 3_600_000;
/** Behind the notch by which certificates begin earlier. */
const LIFETIME_MS = 30 * HOUR_MS;

describe("the renewal of a node's certificate", () => {
  let directory: string;
  let clock: ManualClock;
  let files: IdentityFiles;
  let logger: RecordingLogger;
  let renewal: CertificateRenewal;
  let asked: JsonObject[];
  let answer: (request: string) => Promise<Json>;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), "runway-renewal-"));
    clock = new ManualClock();
    logger = new RecordingLogger();
    asked = [];
    const { caFile, caKeyFile } = await createAuthority(directory, "authority");
    const authority = new NodeAuthority({
      ...{
        certFile: caFile,
        keyFile: caKeyFile,
        serverCertFile: caFile,
        lifetimeMs: LIFETIME_MS,
        trustDomain: "runway",
      },
      now: () => clock.now(),
    });
    const certify = async (request: string) => {
      const publicKey = await requestedKey(request);
      const certificate = await authority.certify({ nodeId: "edge-1", publicKey, revokedAtMs: undefined });
      return { node_id: "edge-1", certificate, authorities: await authority.authorities() };
    };
    answer = certify;
    files = IdentityFiles.in(join(directory, "identity"));
    await files.claim({ force: false });
    const { request, key } = await createRequest();
    await files.write({ key, ...(await certify(request)) });
    const call = (_method: string, params: JsonObject) => {
      asked.push(params);
      return answer(String(params.request));
    };
    renewal = new CertificateRenewal({ files, call, clock, random: () => 0, logger });
    await renewal.start();
  });
  afterEach(async () => {
    await renewal.stop();
    rmSync(directory, { recursive: true });
  });

  const identity = () => readFileSync(files.identityFile, "utf8");
  const logs = (what: RegExp, times = 1) =>
    eventually(`${what} is logged`, () => logger.lines.filter((line) => what.test(line)).length >= times);

  it("comes a third of its lifetime before the end, with a new key, in one step, readable by its owner alone", async () => {
    const before = identity();
    clock.advance(19 * HOUR_MS);
    assert.equal(asked.length, 0);
    clock.advance(2 * HOUR_MS);
    await logs(/was renewed/);
    const after = identity();
    const certificate = new X509Certificate(after);
    assert.notEqual(
      createPrivateKey(after).export({ format: "jwk" }).d,
      createPrivateKey(before).export({ format: "jwk" }).d,
    );
    assert.ok(certificate.checkPrivateKey(createPrivateKey(after)));
    assert.ok(certificate.validToDate.getTime() > clock.now() + LIFETIME_MS - 1_000);
    assert.equal(statSync(files.identityFile).mode & 0o777, 0o600);
    assert.deepEqual(readdirSync(join(directory, "identity")).sort(), ["ca.crt", "node.pem"]);
  });

  it("is tried again after a pause that doubles, louder towards the end, until it succeeds", async () => {
    const certify = answer;
    answer = async () => {
      throw new Error("no control plane is connected");
    };
    clock.advance(21 * HOUR_MS);
    for (const [failure, pauseMs] of [1_000, 2_000, 4_000].entries()) {
      await logs(/warn .*could not be renewed yet/, failure + 1);
      assert.match(logger.lines.at(-1)!, new RegExp(`"retryInMs":${pauseMs}\\b`));
      clock.advance(pauseMs - 1);
      assert.equal(asked.length, failure + 1);
      clock.advance(1);
    }
    await logs(/warn .*could not be renewed yet/, 4);
    clock.advance(8 * HOUR_MS);
    await logs(/error .*ends soon and cannot be renewed.*no control plane is connected/);
    clock.advance(2 * HOUR_MS);
    await logs(/error .*has ended and cannot be renewed/);
    answer = certify;
    clock.advance(2 * HOUR_MS);
    await logs(/was renewed/);
  });

  it("changes nothing where the answer is for another key, or of an authority that is not told", async () => {
    const before = identity();
    const { request } = await createRequest();
    const certify = answer;
    const foreign = await createAuthority(directory, "foreign");
    answer = () => certify(request);
    clock.advance(21 * HOUR_MS);
    await logs(/signed another key/);
    answer = async (own) => ({ ...((await certify(own)) as JsonObject), authorities: foreign.ca });
    clock.advance(1_000);
    await logs(/none signed the certificate/);
    assert.equal(identity(), before);
  });

  it("comes soon where it is asked for, and again where it is asked for meanwhile", async () => {
    renewal.renewSoon();
    clock.advance(0);
    renewal.renewSoon();
    await eventually("the second is due", () => {
      clock.advance(0);
      return asked.length === 2;
    });
    await logs(/was renewed/, 2);
  });
});
