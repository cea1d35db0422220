import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type RequestListener } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, describe, it } from "node:test";
import { promisify } from "node:util";
import { TestProxy } from "../../src/proxy/testing/test-proxy.ts";

const run = promisify(execFile);
const open: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** A gateway before this origin, and a directory for files. `onExpectation` decides about bodies that are announced; without it they are asked for. */
async function gatewayTo(
  listener: RequestListener,
  onExpectation?: RequestListener,
): Promise<{ url: string; file: (name: string) => string }> {
  const server = createServer(listener);
  if (onExpectation !== undefined) server.on("checkContinue", onExpectation);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  open.push(() => server.closeAllConnections() ?? new Promise((closed) => server.close(closed)));
  const gateway = new TestProxy();
  open.push(() => gateway.stop());
  const backends = [{ url: `http://127.0.0.1:${(server.address() as { port: number }).port}` }];
  await gateway.apply({ routes: { all: { path: "/", path_prefix: true, backends } } });
  const directory = mkdtempSync(join(tmpdir(), "runway-curl-"));
  open.push(() => rmSync(directory, { recursive: true, force: true }));
  return { url: `http://127.0.0.1:${gateway.port}`, file: (name) => join(directory, name) };
}

async function curl(...args: readonly string[]): Promise<string> {
  const { stdout } = await run("curl", ["--silent", "--show-error", "--max-time", "10", "--noproxy", "*", ...args]);
  return stdout;
}

describe("curl", () => {
  const body = randomBytes(3_000_000);

  it("uploads with a length and in chunks, waiting for 100", async () => {
    const { url, file } = await gatewayTo((request, response) => {
      request.pipe(response.writeHead(200, { "x-expect": String(request.headers.expect) }));
    });
    writeFileSync(file("sent"), body);
    for (const framing of ["Accept: */*", "Transfer-Encoding: chunked"]) {
      const to = ["-T", file("sent"), "-o", file("got"), "-H", framing, "-H", "Expect: 100-continue"];
      assert.match(await curl(...to, "-D", "-", url), /HTTP\/1.1 100 Continue\r\n.*x-expect: 100-continue\r\n/s);
      assert.ok(readFileSync(file("got")).equals(body));
    }
  });

  it("gets the answer to an upload that is refused, and does not send it", async () => {
    let received = 0;
    const { url, file } = await gatewayTo(
      () => assert.fail("it was asked for"),
      (request, response) => {
        request.on("data", (piece: Buffer) => {
          received += piece.length;
        });
        response.writeHead(403).end("no");
      },
    );
    writeFileSync(file("sent"), body);
    assert.equal(await curl("-T", file("sent"), "-H", "Expect: 100-continue", "-w", "%{http_code}", url), "no403");
    assert.equal(received, 0);
  });

  it("goes on with a download where it stopped", async () => {
    const { url, file } = await gatewayTo((request, response) => {
      const from = Number(/bytes=(\d+)-/.exec(request.headers.range ?? "")?.[1] ?? 0);
      const range = `bytes ${from}-${body.length - 1}/${body.length}`;
      response.writeHead(from > 0 ? 206 : 200, from > 0 ? { "content-range": range } : {}).end(body.subarray(from));
    });
    writeFileSync(file("got"), body.subarray(0, 1_234_567));
    await curl("-C", "-", "-o", file("got"), url);
    assert.ok(readFileSync(file("got")).equals(body));
  });

  it("speaks HTTP/1.0, asks for HTTP/2 in the clear and stays with what there is, and opens no tunnel", async () => {
    const { url } = await gatewayTo((request, response) => void response.end(`${request.headers.upgrade}`));
    assert.equal(await curl("--http1.0", "-w", " %{http_version} %{num_connects}", url), "undefined 1.1 1");
    assert.equal(await curl("--http2", "-w", " %{http_version}", url), "undefined 1.1");
    const tunnel = curl("--proxytunnel", "--proxy", url, "--noproxy", "", "-w", "%{http_connect}", "http://a.test/");
    await assert.rejects(tunnel, (error: Error & { stdout: string }) => error.stdout === "501");
  });

  it("speaks HTTP/2 with prior knowledge: downloads, uploads, and the answer to an upload that is refused", async () => {
    const { url, file } = await gatewayTo((request, response) => {
      if (request.url === "/refused") response.writeHead(403).end("no");
      else request.pipe(response.writeHead(200, { "x-expect": String(request.headers.expect) }));
    });
    writeFileSync(file("sent"), body);
    const http2 = ["--http2-prior-knowledge", "-w", "%{http_version} %{http_code}"];
    assert.equal(await curl(...http2, "-T", file("sent"), "-o", file("got"), `${url}/all`), "2 200");
    assert.ok(readFileSync(file("got")).equals(body));
    assert.equal(await curl(...http2, "-T", file("sent"), `${url}/refused`), "no2 403");
  });

  it("prints the trailers that come back, when it says that it takes them", async () => {
    const { url } = await gatewayTo((_, response) => {
      response.writeHead(200, { trailer: "x-got" });
      response.write("hi");
      response.addTrailers({ "x-got": "2" });
      response.end();
    });
    assert.equal(await curl("--raw", "-H", "TE: trailers", url), "2\r\nhi\r\n0\r\nx-got: 2\r\n\r\n");
    assert.equal(await curl("--raw", url), "2\r\nhi\r\n0\r\n\r\n");
  });

  it("takes the gateway for a proxy: what is meant for a proxy goes no further, and the target is the host that was asked for", async () => {
    let seen: Record<string, unknown> = {};
    const { url } = await gatewayTo((request, response) => {
      seen = { ...request.headers, target: request.url };
      response.end("hi");
    });
    const credentials = ["--proxy-header", "Proxy-Authorization: Basic c2VjcmV0", "--proxy-user", "a:secret"];
    const oddities = [
      "--proxy-header",
      "Proxy-Connection: x-evil",
      "--proxy-header",
      "Connection: x-evil",
      "-H",
      "X-Evil: 1",
    ];
    const proxied = ["--proxy", url, "--noproxy", "", ...credentials, ...oddities, "http://a.test/b/../c?d"];
    assert.equal(await curl(...proxied, "--path-as-is"), "hi");
    const { target, "x-forwarded-host": host } = seen;
    assert.deepEqual([target, host], ["/c?d", "a.test"]);
    assert.doesNotMatch(JSON.stringify(seen), /proxy-|evil|secret|c2VjcmV0/i);
  });

  it("of HTTP/1.0 keeps its connection when it asks for that, and gets a body of unknown length to the close", async () => {
    const { url } = await gatewayTo((request, response) => {
      response.write("a");
      response.end(String(request.httpVersion));
    });
    const answer = await curl("--http1.0", "-H", "Connection: keep-alive", "-w", " %{num_connects}", url, url);
    assert.equal(answer, "a1.1 1a1.1 1");
  });
});
