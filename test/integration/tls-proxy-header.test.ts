import assert from "node:assert/strict";
import { connect as connectHttp2 } from "node:http2";
import { connect, type Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import { setImmediate as nextTurn } from "node:timers/promises";
import { connect as connectTls, type TLSSocket } from "node:tls";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const CLIENTS = 20;

describe("a PROXY header before TLS", () => {
  let origin: Origin;
  let proxy: TlsProxy;
  const sockets: Socket[] = [];

  before(async () => {
    origin = await startOrigin();
    proxy = await TlsProxy.start();
    const { certFile, keyFile } = await proxy.authority.issue("server", { commonName: "localhost" });
    const sketch = proxy.sketch(origin.url, { cert_file: certFile, key_file: keyFile });
    const https = { ...(sketch.listeners?.https as object), proxy_protocol: { enabled: true } };
    await proxy.apply({ ...sketch, listeners: { https } });
  });
  after(async () => {
    for (const socket of sockets) socket.destroy();
    await proxy[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  /** Begins with `header`; what TLS says may leave together with it. */
  function from(header: string): Socket {
    const socket = connect({ port: proxy.port, host: "127.0.0.1" });
    sockets.push(socket);
    socket.on("error", () => {});
    socket.write(header);
    return socket;
  }

  const clientSeen = async (socket: TLSSocket) =>
    /"x-forwarded-for":"([^"]*)"/.exec(await proxy.get(socket))?.[1] ?? "nobody";

  it("tells of each of many connections at a time whose it is", async () => {
    const names = Array.from({ length: CLIENTS }, (_, index) => `198.51.100.${index}`);
    const connected = await Promise.all(
      names.map((name) => proxy.connect({ socket: from(`PROXY TCP4 ${name} 192.0.2.1 1 443\r\n`) })),
    );
    assert.deepEqual(await Promise.all(connected.map(clientSeen)), names);
    const itself = await proxy.connect({ socket: from("PROXY UNKNOWN\r\n") });
    assert.equal(await clientSeen(itself), "127.0.0.1");
  });

  it("is followed by a handshake, whatever pieces it comes in", async () => {
    const socket = from("").setNoDelay();
    for (const octet of "PROXY TCP6 2001:db8::9 ::1 1 443\r\n") {
      socket.write(octet);
      await nextTurn();
    }
    assert.equal(await clientSeen(await proxy.connect({ socket })), "2001:db8::9");
  });

  it("tells whose the requests of HTTP/2 are", async () => {
    const session = connectHttp2(`https://localhost:${proxy.port}`, {
      createConnection: () =>
        connectTls({
          socket: from("PROXY TCP4 203.0.113.7 192.0.2.1 1 443\r\n"),
          servername: "localhost",
          ca: proxy.authority.ca,
          ALPNProtocols: ["h2"],
        }),
    });
    const request = session.request({ ":path": "/" }).setEncoding("utf8");
    assert.match((await request.toArray()).join(""), /"x-forwarded-for":"203\.0\.113\.7"/);
    session.destroy();
  });

  it("that is missing closes the connection before any handshake", async () => {
    await assert.rejects(proxy.connect());
    assert.deepEqual(proxy.handshakeFailures(), {});
    await eventually("a count of it", () => proxy.counted("runway_proxy_headers_refused_total").missing === 1);
  });
});
