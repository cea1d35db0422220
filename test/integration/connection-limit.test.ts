import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import type { TLSSocket } from "node:tls";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const MAX = 6;
const WORKERS = 2;

describe("the limit of connections of a listener that speaks TLS", () => {
  let origin: Origin;
  let proxy: TlsProxy;

  before(async () => {
    origin = await startOrigin();
    proxy = await TlsProxy.start();
    const { certFile, keyFile } = await proxy.authority.issue("server", { commonName: "localhost" });
    const sketch = proxy.sketch(origin.url, { cert_file: certFile, key_file: keyFile });
    const https = { ...(sketch.listeners?.https as object), http: { max_connections: MAX } };
    await proxy.apply({ ...sketch, listeners: { https } });
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  it("holds over all workers, and a place that becomes free is given again", async () => {
    for (let round = 0; round < 2; round++) {
      const tried = await Promise.allSettled(Array.from({ length: 40 }, () => proxy.connect()));
      const connected: TLSSocket[] = tried.filter((result) => result.status === "fulfilled").map(({ value }) => value);
      assert.ok(connected.length >= MAX && connected.length < MAX + WORKERS, `${connected.length} were let in`);
      for (const socket of connected) assert.match(await proxy.get(socket), /^HTTP\/1\.1 200 /);
      for (const socket of connected) socket.destroy();
      await eventually("no connection", () => proxy.supervisor.status().activeConnections === 0);
    }
  });
});
