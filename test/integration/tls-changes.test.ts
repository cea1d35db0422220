import assert from "node:assert/strict";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { eventually } from "../support/eventually.ts";
import { startHttp2Load } from "../support/http2-load.ts";
import { startLoadThread } from "../support/load-thread.ts";
import { startOrigin } from "../support/origin.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const CHANGES = 100;

test("certificates and listeners that change a hundred times under load cost no request", {
  timeout: 60_000,
}, async () => {
  await using origin = await startOrigin();
  await using proxy = await TlsProxy.start();
  const issued = await Promise.all(
    ["01", "02"].map((serialNumber) => proxy.authority.issue(serialNumber, { commonName: "localhost", serialNumber })),
  );
  const live = { cert_file: join(proxy.directory, "live.crt"), key_file: join(proxy.directory, "live.key") };
  const install = (change: number) => {
    copyFileSync(issued[change % 2]!.certFile, live.cert_file);
    copyFileSync(issued[change % 2]!.keyFile, live.key_file);
  };
  install(0);
  const apply = (change: number) => {
    const { certFile, keyFile } = issued[change % 2]!;
    const named = change % 4 < 2 ? live : { cert_file: certFile, key_file: keyFile };
    const sketch = proxy.sketch(origin.url, { ...named, min_version: change % 3 === 0 ? "1.3" : "1.2" });
    const more = { [`more-${change}`]: { address: "127.0.0.1:0" } };
    return proxy.apply({ ...sketch, listeners: { ...sketch.listeners, ...(change % 2 === 0 && more) } });
  };
  await apply(0);

  const url = `https://localhost:${proxy.port}/`;
  const { ca } = proxy.authority;
  // Threads of their own that ask again as soon as they are answered: the workers are never without a request.
  const loads = [
    startLoadThread(url, { ca, connections: 16 }),
    startLoadThread(url, { ca, connections: 4, keepAlive: false }),
    startHttp2Load(url, { ca }),
  ];
  for (let change = 1; change <= CHANGES; change++) {
    if (change % 4 === 0) install(change / 4);
    await apply(change);
  }
  await apply(0);
  install(1);
  const shown = async () => (await proxy.connect()).getPeerCertificate().serialNumber;
  await eventually("the file that came last is shown", async () => (await shown()) === "02");

  const reports = await Promise.all(loads.map((load) => load.stop()));
  for (const { sent, failures } of reports) {
    assert.deepEqual(failures, []);
    assert.ok(sent > CHANGES, `only ${sent} requests were sent`);
  }
  assert.deepEqual(proxy.handshakeFailures(), {});
});
