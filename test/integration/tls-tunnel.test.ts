import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { RawOrigin } from "../../src/proxy/testing.ts";
import { eventually } from "../support/eventually.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const ASK = "GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";
const SWITCH = "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n";

describe("a tunnel to a client that speaks TLS", () => {
  async function* tunnels(count: number): AsyncGenerator<[TLSSocket, RawOrigin, TlsProxy]> {
    await using proxy = await TlsProxy.start();
    const upstream = await new RawOrigin((socket, all) =>
      socket.write(all.endsWith("\r\n\r\n") ? SWITCH : all.slice(-2)),
    ).start();
    const { certFile, keyFile } = await proxy.authority.issue("server", { commonName: "localhost" });
    await proxy.apply(proxy.sketch(upstream.url, { cert_file: certFile, key_file: keyFile }));
    for (let made = 0; made < count; made++) yield [await proxy.connect(), upstream, proxy];
    await upstream.stop();
  }

  it("carries octets both ways, and ends when either side does", async () => {
    for await (const [client, upstream, proxy] of tunnels(3)) {
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
      const closed = once(client, "close");
      if (upstream.sockets.length === 1) client.end();
      else if (upstream.sockets.length === 2) socket.end();
      else socket.resetAndDestroy();
      await closed;
      await eventually("no connection", () => proxy.supervisor.status().activeConnections === 0);
      assert.ok(socket.destroyed);
    }
  });
});
