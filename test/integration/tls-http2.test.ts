import assert from "node:assert/strict";
import { connect } from "node:http2";
import { describe, it } from "node:test";
import { startOrigin } from "../support/origin.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

describe("HTTP/2 over TLS", () => {
  it("is chosen by ALPN, unless it is switched off", async () => {
    await using origin = await startOrigin();
    await using proxy = await TlsProxy.start();
    const { certFile, keyFile } = await proxy.authority.issue("server", { commonName: "localhost" });
    const apply = (http2: boolean) => {
      const { listeners, ...rest } = proxy.sketch(origin.url, { cert_file: certFile, key_file: keyFile });
      return proxy.apply({ ...rest, listeners: { https: { ...(listeners?.https as object), http: { http2 } } } });
    };
    const chosen = async () => (await proxy.connect({ ALPNProtocols: ["h2", "http/1.1"] })).alpnProtocol;

    await apply(true);
    assert.equal(await chosen(), "h2");
    const session = connect(`https://localhost:${proxy.port}`, { ca: proxy.authority.ca });
    session.unref();
    const request = session.request({ ":path": "/a" });
    const { promise: status, resolve } = Promise.withResolvers<unknown>();
    request.on("response", (headers) => resolve(headers[":status"]));
    assert.equal(await status, 200);
    request.setEncoding("utf8");
    assert.match((await request.toArray()).join(""), /"x-forwarded-proto":"https"/);

    await apply(false);
    assert.equal(await chosen(), "http/1.1");
    session.destroy();
  });
});
