import assert from "node:assert/strict";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createSecureServer, type Http2SecureServer, type ServerHttp2Session } from "node:http2";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import type { CertificateFiles } from "../support/certificates.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

describe("an https target of HTTP/2", () => {
  let proxy: TlsProxy;
  let files: CertificateFiles;
  let origin: Http2SecureServer;
  const sessions: ServerHttp2Session[] = [];

  before(async () => {
    proxy = await TlsProxy.start();
    files = await proxy.authority.issue("origin", { commonName: "origin" });
    origin = createSecureServer(
      { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) },
      (request, response) => {
        response.end(
          JSON.stringify({ version: request.httpVersion, scheme: request.scheme, authority: request.authority }),
        );
      },
    );
    origin.on("session", (session) => sessions.push(session));
    origin.listen(0, "127.0.0.1");
    await once(origin, "listening");
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    for (const session of sessions) session.destroy();
    origin.close();
  });

  const apply = async (port: number, caFile: string) => {
    const { listeners } = proxy.sketch("", undefined);
    const backends = [{ url: `https://localhost:${port}`, http2: true }];
    const routes = { all: { path: "/", path_prefix: true, backends } };
    await proxy.apply({ listeners: listeners!, routes, settings: { transport: { ca_file: caFile } } });
  };
  const get = () => fetch(`http://127.0.0.1:${proxy.port}/`);

  it("is verified, agrees by ALPN and serves many requests on few connections", async () => {
    const { port } = origin.address() as AddressInfo;
    await apply(port, proxy.authority.caFile);
    const answers = await Promise.all(Array.from({ length: 40 }, async () => (await get()).json()));
    for (const answer of answers)
      assert.deepEqual(answer, { version: "2.0", scheme: "https", authority: `localhost:${port}` });
    assert.ok(sessions.length <= 2, `${sessions.length} connections of two workers`);
  });

  it("that is not to be believed gets no request", async () => {
    const before = sessions.length;
    await apply((origin.address() as AddressInfo).port, files.certFile);
    assert.equal((await get()).status, 502);
    assert.equal(sessions.length, before);
  });

  it("that speaks only HTTP/1.1 gets no request", async () => {
    let requests = 0;
    const pair = { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) };
    const old = createServer(pair, (_, response) => {
      requests++;
      response.end();
    });
    old.listen(0, "127.0.0.1");
    await once(old, "listening");
    await apply((old.address() as AddressInfo).port, proxy.authority.caFile);
    assert.equal((await get()).status, 502);
    assert.equal(requests, 0);
    old.close();
  });
});
