import assert from "node:assert/strict";
import { once } from "node:events";
import { copyFileSync, readFileSync } from "node:fs";
import { createServer, request, type Server } from "node:https";
import { type AddressInfo, createServer as createPlainServer, type Socket } from "node:net";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { TlsOptions } from "node:tls";
import { NameServer } from "../../src/proxy/upstream/testing/name-server.ts";
import { type CertificateFiles, createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

/** An https server that answers with what it knows of its client. */
class SecureOrigin {
  handshakes = 0;
  readonly #server: Server;

  constructor({ certFile, keyFile }: CertificateFiles, options: TlsOptions = {}) {
    const pair = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    this.#server = createServer({ ...pair, ...options }, ({ socket, headers }, response) => {
      const { servername, authorized, alpnProtocol } = socket as {
        servername?: unknown;
        authorized?: boolean;
        alpnProtocol?: unknown;
      };
      const isReused = (socket as unknown as { isSessionReused(): boolean }).isSessionReused();
      response.end(JSON.stringify({ servername, authorized, alpnProtocol, isReused, host: headers.host }));
    });
    this.#server.on("secureConnection", () => {
      this.handshakes++;
    });
  }

  async start(): Promise<this> {
    this.#server.listen(0, "127.0.0.1");
    await once(this.#server, "listening");
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  closeConnections(): void {
    this.#server.closeAllConnections();
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}

describe("an upstream that is https", () => {
  let proxy: TlsProxy;
  let files: CertificateFiles;
  const open: { stop(): Promise<void> }[] = [];

  before(async () => {
    proxy = await TlsProxy.start();
    files = await proxy.authority.issue("origin", { commonName: "origin" });
  });
  after(async () => {
    for (const origin of open) await origin.stop();
    await proxy[Symbol.asyncDispose]();
  });

  async function secureOrigin(of = files, options?: TlsOptions): Promise<SecureOrigin> {
    const origin = await new SecureOrigin(of, options).start();
    open.push(origin);
    return origin;
  }

  const apply = (url: string, transport: object) => proxy.apply(proxy.sketch(url, undefined, { transport }));

  async function get(): Promise<{ status: number; body: Record<string, unknown> }> {
    const answer = await fetch(`http://127.0.0.1:${proxy.port}/`);
    return { status: answer.status, body: (await answer.json()) as Record<string, unknown> };
  }

  /** Asks until the log says why: of many lines in a second a worker leaves some out. */
  async function refusedBecause(pattern: RegExp): Promise<void> {
    proxy.logger.lines.length = 0;
    await eventually(`the reason ${pattern}`, async () => {
      const { status, body } = await get();
      assert.deepEqual([status, body.code], [502, "RW_UPSTREAM_REFUSED"]);
      const isReason = (line: string) => line.startsWith("warn An upstream failed a request") && pattern.test(line);
      return proxy.logger.lines.some(isReason);
    });
  }

  it("is verified with transport.ca_file for the host of its URL, which it is told", async () => {
    const origin = await secureOrigin();
    await apply(`https://localhost:${origin.port}`, { ca_file: proxy.authority.caFile });
    const { status, body } = await get();
    assert.equal(status, 200);
    assert.deepEqual(body, {
      ...{ servername: "localhost", authorized: false, alpnProtocol: "http/1.1", isReused: false },
      host: `localhost:${origin.port}`,
    });
    await apply(`https://127.0.0.1:${origin.port}`, { ca_file: proxy.authority.caFile });
    assert.deepEqual([(await get()).status, (await get()).body.servername], [200, false]);
  });

  it("is verified for its name where its addresses are targets", async () => {
    const names = await new NameServer().start();
    open.push(names);
    names.addresses = ["127.0.0.1"];
    const named = { commonName: "orders", names: [{ type: "dns", value: "orders.test" }] } as const;
    const origin = await secureOrigin(await proxy.authority.issue("orders", named));
    const { routes: _, ...rest } = proxy.sketch("", undefined, {
      transport: { ca_file: proxy.authority.caFile },
      dns_resolver: { nameservers: [names.address] },
    });
    const to = async (name: string) => {
      const backends = [{ url: `https://${name}.test:${origin.port}`, discover: "addresses" }];
      const upstreams = { u: { backends } };
      await proxy.apply({ ...rest, upstreams, routes: { all: { path: "/", path_prefix: true, upstream: "u" } } });
      return get();
    };
    const { status, body } = await to("orders");
    assert.deepEqual([status, body.servername, body.host], [200, "orders.test", `orders.test:${origin.port}`]);
    assert.equal((await to("billing")).status, 502);
  });

  it("is not believed without an authority for it, under another name, or after its certificate ended", async () => {
    const origin = await secureOrigin();
    await apply(`https://localhost:${origin.port}`, {});
    await refusedBecause(/the TLS handshake failed: UNABLE_TO/);
    const other = await proxy.authority.issue("other", {
      commonName: "other",
      names: [{ type: "dns", value: "other" }],
    });
    const misnamed = await secureOrigin(other);
    await apply(`https://localhost:${misnamed.port}`, { ca_file: proxy.authority.caFile });
    await refusedBecause(/the TLS handshake failed: ERR_TLS_CERT_ALTNAME_INVALID/);
    const DAY_MS = 86_400_000;
    const dates = { notBefore: new Date(Date.now() - 3 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
    const expired = await secureOrigin(await proxy.authority.issue("expired", { commonName: "expired", ...dates }));
    await apply(`https://localhost:${expired.port}`, { ca_file: proxy.authority.caFile });
    await refusedBecause(/the TLS handshake failed: CERT_HAS_EXPIRED/);
  });

  it("is believed unseen with transport.insecure_skip_verify, which is warned of", async () => {
    const origin = await secureOrigin();
    proxy.logger.lines.length = 0;
    await apply(`https://localhost:${origin.port}`, { insecure_skip_verify: true });
    assert.equal((await get()).status, 200);
    assert.ok(proxy.logger.lines.some((line) => line.startsWith("warn Targets that are https are not verified")));
  });

  it("needs files that can be read, on a node that listens", async () => {
    const transport = { ca_file: "/nowhere/ca.crt" };
    await assert.rejects(
      apply("https://localhost:1", transport),
      /transport\.ca_file: \/nowhere\/ca\.crt cannot be read/,
    );
    await proxy.apply({ ...proxy.sketch("https://localhost:1", undefined, { transport }), listeners: {} });
  });

  it("is shown transport.cert_file when it asks", async () => {
    const ca = readFileSync(proxy.authority.caFile);
    const origin = await secureOrigin(files, { ca, requestCert: true, rejectUnauthorized: true });
    const client = await proxy.authority.issue("client", { commonName: "client" });
    const transport = { ca_file: proxy.authority.caFile, cert_file: client.certFile, key_file: client.keyFile };
    await apply(`https://localhost:${origin.port}`, transport);
    assert.equal((await get()).body.authorized, true);
    await apply(`https://localhost:${origin.port}`, { ca_file: proxy.authority.caFile });
    assert.equal((await get()).status, 502);
  });

  it("keeps its connections, and resumes its session on new ones", async () => {
    const origin = await secureOrigin();
    await apply(`https://localhost:${origin.port}`, { ca_file: proxy.authority.caFile });
    for (let count = 0; count < 20; count++) assert.equal((await get()).status, 200);
    assert.ok(origin.handshakes <= 2, `${origin.handshakes} handshakes for two workers`);
    origin.closeConnections();
    await eventually("a session is resumed", async () => {
      origin.closeConnections();
      return (await get()).body.isReused === true;
    });
  });

  it("is verified anew when transport.ca_file changes, also by a new file", async () => {
    const foreign = await createAuthority(proxy.directory, "foreign");
    const caFile = join(proxy.directory, "live-ca.crt");
    copyFileSync(proxy.authority.caFile, caFile);
    const origin = await secureOrigin();
    await apply(`https://localhost:${origin.port}`, { ca_file: caFile });
    for (let count = 0; count < 8; count++) assert.equal((await get()).status, 200);
    copyFileSync(foreign.caFile, caFile);
    await eventually("no worker believes it", async () => {
      const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await get()).status));
      return statuses.every((status) => status === 502);
    });
    copyFileSync(proxy.authority.caFile, caFile);
    await eventually("both workers believe it again", async () => {
      const statuses = await Promise.all(Array.from({ length: 8 }, async () => (await get()).status));
      return statuses.every((status) => status === 200);
    });
  });

  it("is given up when its handshake takes too long, or is none", async () => {
    const sockets: Socket[] = [];
    const keep = (socket: Socket) => void sockets.push(socket.on("error", () => {}));
    const silent = createPlainServer(keep).listen(0, "127.0.0.1");
    const plain = createPlainServer((socket) => {
      keep(socket);
      socket.write("HTTP/1.1 200 OK\r\n\r\n");
    }).listen(0, "127.0.0.1");
    await Promise.all([once(silent, "listening"), once(plain, "listening")]);
    const transport = { ca_file: proxy.authority.caFile, tls_handshake_timeout: "50ms" };
    await apply(`https://localhost:${(silent.address() as AddressInfo).port}`, transport);
    await refusedBecause(/the TLS handshake did not end in time/);
    await apply(`https://localhost:${(plain.address() as AddressInfo).port}`, transport);
    await refusedBecause(/the TLS handshake failed: ERR_SSL/);
    for (const socket of sockets) socket.destroy();
    silent.close();
    plain.close();
  });

  it("carries large bodies both ways through TLS on both sides", async () => {
    const sent = Buffer.alloc(3_000_000, "0123456789abcdef");
    const echo = createServer(
      { cert: readFileSync(files.certFile), key: readFileSync(files.keyFile) },
      (request, response) => request.pipe(response),
    ).listen(0, "127.0.0.1");
    await once(echo, "listening");
    const url = `https://localhost:${(echo.address() as AddressInfo).port}`;
    const tls = { cert_file: files.certFile, key_file: files.keyFile };
    await proxy.apply(proxy.sketch(url, tls, { transport: { ca_file: proxy.authority.caFile } }));
    const { ca } = proxy.authority;
    const received = await new Promise<Buffer>((resolve, reject) => {
      const where = { host: "127.0.0.1", port: proxy.port, servername: "localhost", ca };
      const call = request({ ...where, method: "POST" }, (response) => {
        const pieces: Buffer[] = [];
        response.on("data", (piece: Buffer) => pieces.push(piece)).on("error", reject);
        response.on("end", () => resolve(Buffer.concat(pieces)));
      });
      call.on("error", reject).end(sent);
    });
    assert.ok(received.equals(sent), `${received.length} bytes came back`);
    echo.closeAllConnections();
    echo.close();
  });
});
