import assert from "node:assert/strict";
import { copyFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { CertificateFiles } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { startLoadThread } from "../support/load-thread.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

describe("certificates that are resources of their own", () => {
  let proxy: TlsProxy;
  let origin: Origin;
  const issued: CertificateFiles[] = [];
  before(async () => {
    [proxy, origin] = [await TlsProxy.start(), await startOrigin()];
    for (const serialNumber of ["01", "02", "03"]) {
      const names = [`host-${serialNumber}.test`, "localhost"].map((value) => ({ type: "dns", value }) as const);
      issued.push(await proxy.authority.issue(serialNumber, { commonName: serialNumber, names, serialNumber }));
    }
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  const files = (index: number) => ({ cert_file: issued[index]!.certFile, key_file: issued[index]!.keyFile });
  const inline = (index: number) => ({
    cert: readFileSync(issued[index]!.certFile, "utf8"),
    key: readFileSync(issued[index]!.keyFile, "utf8"),
  });
  const apply = (certificates: object, tls: object = {}) =>
    proxy.apply({ ...proxy.sketch(origin.url, tls), certificates: certificates as Record<string, unknown> });
  const shown = async (servername: string) => {
    const options = { servername, checkServerIdentity: () => undefined };
    return (await proxy.connect(options)).getPeerCertificate().serialNumber;
  };

  it("are shown for the hosts that they name, inline or from files, behind what a listener has itself", async () => {
    await apply({ one: inline(1), two: { ...files(2), hosts: ["*.shop.test", "host-01.test"] } }, files(0));
    assert.equal(await shown("host-02.test"), "02", "by its own names");
    assert.equal(await shown("www.shop.test"), "03", "by the hosts that are written");
    assert.equal(await shown("host-01.test"), "01", "the listener's own comes first");
    assert.equal(await shown("elsewhere.test"), "01", "and is the default");
    const of = (file: string) => proxy.supervisor.certificates().some(({ certFile }) => certFile === file);
    assert.ok(of("certificate:one") && of(issued[2]!.certFile));
  });

  it("are enough for a listener, and come and go while requests go on", async () => {
    const live = { cert_file: join(proxy.directory, "live.pem"), key_file: join(proxy.directory, "live.key") };
    copyFileSync(issued[0]!.certFile, live.cert_file);
    copyFileSync(issued[0]!.keyFile, live.key_file);
    const hosts = ["localhost"];
    await apply({ a: { ...inline(0), hosts } });
    const load = startLoadThread(`https://localhost:${proxy.port}/`, {
      connections: 4,
      keepAlive: false,
      ca: proxy.authority.ca,
    });
    for (let change = 1; change <= 20; change += 1) await apply({ a: { ...inline(change % 3), hosts } });
    assert.equal(await shown("localhost"), "03");
    await apply({ a: { ...live, hosts } });
    assert.equal(await shown("localhost"), "01");
    copyFileSync(issued[1]!.certFile, live.cert_file);
    copyFileSync(issued[1]!.keyFile, live.key_file);
    await eventually("new files are used", async () => (await shown("localhost")) === "02");
    const { sent, failures } = await load.stop();
    assert.deepEqual(failures, []);
    assert.ok(sent > 0);
  });

  it("are refused as a whole when one cannot be used, without a word of its content", async () => {
    await apply({ a: inline(1) });
    const wrong = { cert: inline(0).cert, key: inline(2).key };
    await assert.rejects(apply({ a: inline(2), wrong }), (error: Error) => {
      assert.match(error.message, /certificate:wrong.*is not the key of the certificate/s);
      assert.doesNotMatch(error.message, /BEGIN|MII/);
      return true;
    });
    await assert.rejects(apply({ gone: { ...files(0), cert_file: "/nowhere.pem" } }), /nowhere\.pem cannot be read/);
    assert.equal(await shown("host-02.test"), "02");
  });
});
