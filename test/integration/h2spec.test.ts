import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { missing } from "../support/installed.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

/** RFC 9113 §5.3.2 has taken the rule away with the priorities that it is about. */
const SELF_DEPENDENCIES = ["Sends HEADERS frame that depend on itself", "Sends PRIORITY frame that depend on itself"];
/** What does not begin as HTTP/2 is HTTP/1.1 where both are spoken: it is answered 400 before the connection is closed, and h2spec reads no 400. */
const OTHER_PREFACE = "Sends invalid connection preface";

/** Runs every case, the strict ones too; the titles of those that did not pass. */
function h2spec(port: number, report: string, ...options: readonly string[]): Promise<readonly string[]> {
  return new Promise((resolve, reject) => {
    execFile("h2spec", ["-S", "-p", String(port), "-j", report, ...options], (error, stdout) => {
      // It exits with 1 where cases failed.
      if (error !== null && error.code !== 1) reject(error);
      else if (!/^146 tests, /m.test(stdout)) reject(new Error(stdout));
      else resolve(failedIn(readFileSync(report, "utf8")));
    });
  });
}

function failedIn(report: string): readonly string[] {
  return Array.from(
    report.matchAll(/<testcase [^>]*classname="([^"]*)"[^>]*>\s*<(?:error|failure)/g),
    ([, title]) => title!,
  );
}

describe("h2spec", { skip: missing("h2spec") }, () => {
  let origin: Server;
  let proxy: TlsProxy;

  before(async () => {
    origin = createServer((request, response) => request.resume().on("end", () => response.end("hello\n")));
    await once(origin.listen(0, "127.0.0.1"), "listening");
    proxy = await TlsProxy.start();
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    origin.closeAllConnections();
    origin.close();
  });

  const url = () => `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;

  it("finds nothing over TLS but what RFC 9113 took away", async () => {
    const { certFile, keyFile } = await proxy.authority.issue("gateway", { commonName: "localhost" });
    await proxy.apply(proxy.sketch(url(), { cert_file: certFile, key_file: keyFile }));
    const failed = await h2spec(proxy.port, join(proxy.directory, "tls.xml"), "-t", "-k");
    assert.deepEqual(failed, SELF_DEPENDENCIES);
  });

  it("finds nothing with prior knowledge but that, and that the port speaks HTTP/1.1 too", async () => {
    await proxy.apply(proxy.sketch(url(), undefined));
    const failed = await h2spec(proxy.port, join(proxy.directory, "clear.xml"));
    assert.deepEqual(failed, [OTHER_PREFACE, ...SELF_DEPENDENCIES]);
  });
});
