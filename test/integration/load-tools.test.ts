import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { after, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { missing } from "../support/installed.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const run = promisify(execFile);
const BODY = "x".repeat(10_000);
const REQUESTS = 500;

describe("other people's clients", () => {
  let origin: Server;
  let tls: TlsProxy;
  let plain: TlsProxy;
  let served = 0;

  before(async () => {
    origin = createServer((request, response) => {
      served++;
      if (request.method === "POST") request.pipe(response);
      else response.end(BODY);
    });
    origin.listen(0, "127.0.0.1");
    await once(origin, "listening");
    const url = `http://127.0.0.1:${(origin.address() as AddressInfo).port}`;
    tls = await TlsProxy.start();
    const { certFile, keyFile } = await tls.authority.issue("gateway", { commonName: "localhost" });
    await tls.apply(tls.sketch(url, { cert_file: certFile, key_file: keyFile }));
    plain = await TlsProxy.start();
    await plain.apply(plain.sketch(url, undefined));
  });
  after(async () => {
    for (const proxy of [tls, plain]) await proxy[Symbol.asyncDispose]();
    origin.closeAllConnections();
    origin.close();
  });

  const urls = () => [`https://localhost:${tls.port}/`, `http://127.0.0.1:${plain.port}/`];

  it("nghttp gets several streams, and their whole bodies, by ALPN and with prior knowledge", {
    skip: missing("nghttp"),
  }, async () => {
    for (const url of urls()) {
      const { stdout } = await run("nghttp", ["--no-verify-peer", "--multiply=5", "--stat", "--null-out", url]);
      const lines = stdout.split("\n").filter((line) => / 200 +\S+ \/$/.test(line));
      assert.equal(lines.length, 5, stdout);
      const { stdout: body } = await run("nghttp", ["--no-verify-peer", url]);
      assert.equal(body, BODY);
    }
  });

  it("nghttp uploads, with trailers that nobody announced", { skip: missing("nghttp") }, async () => {
    for (const url of urls()) {
      const { stdout } = await run("nghttp", ["--no-verify-peer", "--data=package.json", "--trailer=x-sum: 1", url]);
      assert.match(stdout, /"name": "runway"/);
    }
  });

  it("h2load has no request fail, over HTTP/2 and HTTP/1.1", { skip: missing("h2load") }, async () => {
    for (const protocol of [[], ["--h1"]])
      for (const url of urls()) {
        const before = served;
        const { stdout } = await run("h2load", [`-n${REQUESTS}`, "-c4", "-m8", ...protocol, url]);
        assert.match(stdout, new RegExp(`${REQUESTS} succeeded, 0 failed, 0 errored, 0 timeout`));
        assert.match(stdout, new RegExp(`status codes: ${REQUESTS} 2xx, 0 3xx, 0 4xx, 0 5xx`));
        assert.equal(served - before, REQUESTS);
      }
  });

  it("ab, which speaks HTTP/1.0, has no request fail, with connections kept and new ones", {
    skip: missing("ab"),
  }, async () => {
    for (const keep of [[], ["-k"]]) {
      const { stdout } = await run("ab", ["-q", "-n", String(REQUESTS), "-c", "8", ...keep, urls()[1]!]);
      assert.match(stdout, new RegExp(`Complete requests: +${REQUESTS}\nFailed requests: +0\n`));
      assert.doesNotMatch(stdout, /Non-2xx|Write errors/);
      if (keep.length > 0) assert.match(stdout, new RegExp(`Keep-Alive requests: +${REQUESTS}\n`));
      const { stdout: secure } = await run("ab", ["-q", "-n", "50", "-c", "4", ...keep, urls()[0]!]);
      assert.match(secure, /Complete requests: +50\nFailed requests: +0\n/);
    }
  });
});
