import type { Socket } from "node:net";
import { after, before, describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { RawOrigin } from "../../src/proxy/testing/test-proxy.ts";
import { eventually } from "../support/eventually.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const ASK = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

describe("a tunnel to a client that speaks TLS", () => {
  let proxy: TlsProxy;
  let upstream: RawOrigin;

  before(async () => {
    proxy = await TlsProxy.start();
    upstream = new RawOrigin((socket, all) => socket.write(all.endsWith("\r\n\r\n") ? SWITCH : all.slice(-2)));
    await upstream.start();
    const { certFile, keyFile } = await proxy.authority.issue("server", { commonName: "localhost" });
    await proxy.apply(proxy.sketch(upstream.url, { cert_file: certFile, key_file: keyFile }));
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await upstream.stop();
  });

  const ends: Record<string, (client: TLSSocket, upstream: Socket) => unknown> = {
    "the client ends": (client) => client.end(),
    "the upstream ends": (_, socket) => socket.end(),
    "the upstream breaks": (_, socket) => socket.resetAndDestroy(),
  };
  for (const [how, end] of Object.entries(ends))
    it(`carries octets both ways until ${how}`, async () => {
      const client = await proxy.connect();
      let received = "";
      client.on("data", (bytes) => {
        received += bytes.toString("latin1");
      });
      client.on("error", () => {}); // A break of the upstream is one of the client's too.
      client.write(ASK);
      await eventually("the switch", () => received.endsWith("\r\n\r\n"));
      for (const text of ["ab", "cd"]) {
        client.write(text);
        await eventually(`an echo of ${text}`, () => received.endsWith(text));
      }
      const socket = upstream.sockets.at(-1)!;
      end(client, socket);
      await eventually("the end of both", () => client.destroyed && socket.destroyed);
      await eventually("no connection", () => proxy.supervisor.status().activeConnections === 0);
    });
});
