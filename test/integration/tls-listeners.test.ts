import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { connect as connectPlain } from "node:net";
import { join } from "node:path";
import { after, afterEach, before, describe, it } from "node:test";
import { promisify } from "node:util";
import { ConfigurationRefused } from "../../src/proxy/configuration-refused.ts";
import { echoingWebSocket } from "../../src/proxy/testing/websocket.ts";
import { type CertificateFiles, createAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";
import { TlsProxy } from "../support/tls-proxy.ts";

const DAY_MS = 86_400_000;
const named = ({ certFile, keyFile }: CertificateFiles) => ({ cert_file: certFile, key_file: keyFile });
const dns = (...hosts: readonly string[]) => hosts.map((value) => ({ type: "dns", value }) as const);

describe("a listener that speaks TLS", () => {
  let origin: Origin;
  let proxy: TlsProxy;
  let server: CertificateFiles;

  before(async () => {
    origin = await startOrigin();
    proxy = await TlsProxy.start();
    server = await proxy.authority.issue("server", { commonName: "localhost" });
  });
  after(async () => {
    await proxy[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });
  afterEach(() => {
    proxy.logger.lines.length = 0;
  });

  const apply = (tls: object | undefined) => proxy.apply(proxy.sketch(origin.url, tls));
  const failed = (reason: string, before: Record<string, number>) =>
    eventually(`a handshake failed with ${reason}`, () => {
      const counts = proxy.handshakeFailures();
      return (counts[reason] ?? 0) > (before[reason] ?? 0);
    });

  it("forwards what comes over it, and tells the upstream that it was https", async () => {
    await apply(named(server));
    const socket = await proxy.connect({ ALPNProtocols: ["http/1.1"] });
    assert.equal(socket.alpnProtocol, "http/1.1");
    assert.match(await proxy.get(socket, "/a"), /"x-forwarded-proto":"https"/);
    assert.match(await proxy.get(socket, "/b"), /^HTTP\/1\.1 200 OK\r\n/);
  });

  it("shows each host its certificate: by hosts that are listed, by its own names, else the default", async () => {
    const own = await proxy.authority.issue("own", { commonName: "own", names: dns("own.test", "*.own.test") });
    const listed = await proxy.authority.issue("listed", { commonName: "listed", names: dns("listed.test") });
    const certificates = [named(own), { ...named(listed), hosts: ["Listed.test"] }];
    await apply({ ...named(server), certificates });
    const shownTo = async (servername: string | undefined) => {
      const socket = await proxy.connect({ ...(servername && { servername }), checkServerIdentity: () => undefined });
      return socket.getPeerCertificate().subject.CN;
    };
    assert.equal(await shownTo("own.test"), "own");
    assert.equal(await shownTo("a.own.test"), "own");
    assert.equal(await shownTo("listed.test"), "listed");
    assert.equal(await shownTo("other.test"), "localhost");
    assert.equal(await shownTo(undefined), "localhost");
  });

  it("speaks no version older than min_version", async () => {
    await apply(named(server));
    assert.equal((await proxy.connect({ maxVersion: "TLSv1.2" })).getProtocol(), "TLSv1.2");
    await apply({ ...named(server), min_version: "1.3" });
    const counts = proxy.handshakeFailures();
    await assert.rejects(proxy.connect({ maxVersion: "TLSv1.2" }), /protocol version/);
    await failed("mismatch", counts);
    assert.equal((await proxy.connect()).getProtocol(), "TLSv1.3");
  });

  it("closes connections that do not speak TLS, or do not come to an end with it, and counts them", async () => {
    await apply({ ...named(server), handshake_timeout: "50ms" });
    for (const [reason, sent] of Object.entries({
      not_tls: "GET / HTTP/1.1\r\n\r\n",
      timeout: "",
      closed: undefined,
    })) {
      const counts = proxy.handshakeFailures();
      const socket = connectPlain(proxy.port, "127.0.0.1").on("error", () => {});
      if (sent === undefined) socket.on("connect", () => socket.destroy());
      else socket.write(sent);
      await failed(reason, counts);
      await eventually("it is closed", () => socket.destroyed);
    }
    assert.match(await proxy.get(await proxy.connect()), /200 OK/);
  });

  it("asks clients for certificates as client_auth says", async () => {
    const client = await proxy.authority.issue("client", { commonName: "client" });
    const foreign = await createAuthority(proxy.directory, "foreign");
    const stranger = await foreign.issue("stranger", { commonName: "stranger" });
    const shows = ({ certFile, keyFile }: CertificateFiles) => ({
      cert: readFileSync(certFile),
      key: readFileSync(keyFile),
    });
    const isServed = async (options: object) => {
      try {
        return /200 OK/.test(await proxy.get(await proxy.connect(options)));
      } catch {
        return false;
      }
    };
    const served = async () => [await isServed({}), await isServed(shows(stranger)), await isServed(shows(client))];
    await apply({ ...named(server), client_auth: "request" });
    assert.deepEqual(await served(), [true, true, true]);
    const counts = proxy.handshakeFailures();
    await apply({ ...named(server), client_auth: "require" });
    assert.deepEqual(await served(), [false, true, true]);
    await apply({ ...named(server), client_auth: "verify", client_ca_file: proxy.authority.caFile });
    assert.deepEqual(await served(), [false, false, true]);
    await eventually("all three are counted", () => {
      const { client_certificate: count = 0 } = proxy.handshakeFailures();
      return count === (counts.client_certificate ?? 0) + 3;
    });
  });

  it("refuses a configuration whose files cannot be used, says which and why, and goes on as before", async () => {
    await apply(named(server));
    const other = await proxy.authority.issue("other", { commonName: "other" });
    const junk = join(proxy.directory, "junk.pem");
    writeFileSync(junk, "this is no certificate");
    const refusal = async (tls: object) => {
      const error = await apply(tls).then(
        () => undefined,
        (reason: unknown) => reason,
      );
      assert.ok(error instanceof ConfigurationRefused, String(error));
      return error.message;
    };
    const at = "listener:https: listeners[0].tls.";
    assert.equal(
      await refusal({ cert_file: "/nowhere/a.crt", key_file: server.keyFile }),
      `${at}cert_file: /nowhere/a.crt cannot be read: no such file or directory`,
    );
    assert.equal(
      await refusal({ cert_file: server.certFile, key_file: other.keyFile }),
      `${at}key_file: ${other.keyFile} is not the key of the certificate in ${server.certFile}`,
    );
    assert.match(
      await refusal({ ...named(server), certificates: [{ ...named(server), cert_file: junk }] }),
      /certificates\[0\]\.cert_file: .*junk\.pem cannot be used: it is not PEM$/,
    );
    assert.match(await refusal({ cert_file: server.certFile, key_file: junk }), /tls\.key_file: .*cannot be used/);
    const verify = { client_auth: "verify", client_ca_file: junk };
    assert.match(await refusal({ ...named(server), ...verify }), /tls\.client_ca_file: .*cannot be used/);
    assert.match(await proxy.get(await proxy.connect()), /200 OK/);
  });

  it("shows a certificate that has expired, and says so", async () => {
    const dates = { notBefore: new Date(Date.now() - 3 * DAY_MS), notAfter: new Date(Date.now() - DAY_MS) };
    const expired = await proxy.authority.issue("expired", { commonName: "localhost", serialNumber: "0c", ...dates });
    await apply(named(expired));
    await assert.rejects(proxy.connect(), /expired/);
    const [shown] = proxy.supervisor.certificates();
    assert.equal(shown?.serial, "0C");
    assert.ok(shown.notAfterMs < Date.now());
    assert.equal("key" in shown, false);
    assert.ok(proxy.logger.lines.some((line) => line.startsWith("warn A certificate has expired")));
  });

  it("begins and ceases to speak TLS on the same socket, without closing a connection", async () => {
    await apply(named(server));
    const socket = await proxy.connect();
    const { port } = proxy;
    await apply(undefined);
    assert.equal(proxy.port, port);
    assert.equal((await fetch(`http://127.0.0.1:${port}/`)).status, 200);
    assert.match(await proxy.get(socket), /200 OK/);
    await apply(named(server));
    assert.match(await proxy.get(await proxy.connect()), /200 OK/);
  });

  it("counts a connection until it is closed", async () => {
    proxy.hangUp();
    const limited = proxy.sketch(origin.url, named(server));
    const [[id, listener]] = Object.entries(limited.listeners ?? {}) as [[string, object]];
    await proxy.apply({ ...limited, listeners: { [id]: { ...listener, http: { max_connections: 2 } } } });
    for (let count = 0; count < 6; count++) {
      await eventually("there is room again", async () => {
        const socket = await proxy.connect();
        assert.match(await proxy.get(socket), /200 OK/);
        socket.destroy();
        return true;
      });
    }
    await apply(named(server));
  });

  it("carries a WebSocket, and drops it with both ends", async () => {
    const upstream = await echoingWebSocket().start();
    await proxy.apply(proxy.sketch(upstream.url, named(server)));
    const socket = await proxy.connect();
    let received = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      received = Buffer.concat([received, bytes]);
    });
    const key = "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13";
    socket.write(`GET / HTTP/1.1\r\nHost: a\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${key}\r\n\r\n`);
    await eventually("the protocol is switched", () => received.includes("101 Switching Protocols"));
    received = Buffer.alloc(0);
    socket.write(Buffer.from([0x82, 0x85, 0, 0, 0, 0, 0x68, 0x65, 0x6c, 0x6c, 0x6f]));
    await eventually("the echo arrives", () => received.includes("hello"));
    upstream.sockets[0]!.destroy();
    await eventually("the client is told", () => socket.destroyed || socket.readableEnded);
    await upstream.stop();
  });

  it("serves curl: keep-alive, an upload, a host of its own, the oldest and the newest version", async () => {
    const own = await proxy.authority.issue("curl", { commonName: "curl", names: dns("curl.test") });
    await apply({ ...named(server), certificates: [named(own)] });
    const curl = async (...args: readonly string[]) => {
      const common = ["--silent", "--show-error", "--fail", "--max-time", "10", "--cacert", proxy.authority.caFile];
      const { stdout } = await promisify(execFile)("curl", [...common, ...args]);
      return stdout;
    };
    const url = `https://localhost:${proxy.port}`;
    const twice = await curl("--write-out", "%{num_connects} ", `${url}/a`, `${url}/b`);
    assert.match(twice, /\}1 .*\}0 $/s);
    const upload = JSON.parse(await curl("--data-binary", "x".repeat(100_000), `${url}/upload`)) as { body: string };
    assert.equal(upload.body.length, 100_000);
    const resolve = `curl.test:${proxy.port}:127.0.0.1`;
    assert.match(
      await curl("--resolve", resolve, `https://curl.test:${proxy.port}/`),
      /"x-forwarded-host":"curl\.test/,
    );
    for (const version of [["--tls-max", "1.2"], ["--tlsv1.3"]])
      assert.match(await curl(...version, url), /"url":"\/"/);
    const old = ["--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"];
    await assert.rejects(curl(...old, url), /protocol version|unsupported protocol|no protocols/);
  });

  it("resumes sessions in every worker", async () => {
    await apply(named(server));
    for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
      const first = await proxy.connect({ maxVersion });
      const session = new Promise<Buffer>((resolve) => first.once("session", resolve));
      await proxy.get(first);
      const ticket = maxVersion === "TLSv1.2" ? first.getSession() : await session;
      assert.ok(ticket);
      // The kernel spreads connections over the workers: that all of twelve meet one of two is hardly ever so.
      for (let count = 0; count < 12; count++)
        assert.ok((await proxy.connect({ maxVersion, session: ticket })).isSessionReused(), maxVersion);
    }
  });

  it("uses new files for new handshakes, keeps connections, and keeps what it has when new files are bad", async () => {
    const live: CertificateFiles = {
      certFile: join(proxy.directory, "live.crt"),
      keyFile: join(proxy.directory, "live.key"),
    };
    const install = (files: CertificateFiles) => {
      copyFileSync(files.certFile, live.certFile);
      copyFileSync(files.keyFile, live.keyFile);
    };
    const serial = async () => (await proxy.connect()).getPeerCertificate().serialNumber;
    const issue = (name: string, serialNumber: string) =>
      proxy.authority.issue(name, { commonName: "localhost", serialNumber });
    install(await issue("live-1", "11"));
    await apply(named(live));
    const before = await proxy.connect();
    assert.equal(before.getPeerCertificate().serialNumber, "11");

    install(await issue("live-2", "22"));
    await eventually("the new certificate is shown", async () => (await serial()) === "22");
    assert.match(await proxy.get(before), /200 OK/);
    assert.equal(proxy.supervisor.certificates()[0]?.serial, "22");
    assert.ok(proxy.logger.lines.some((line) => line.startsWith("info New certificates are in use")));

    writeFileSync(live.certFile, "half a cert");
    const isTold = (line: string) =>
      line.startsWith("error New certificate files cannot be used") && line.includes("live.crt");
    await eventually("the bad file is told about", () => proxy.logger.lines.some(isTold));
    assert.equal(await serial(), "22");

    install(await issue("live-3", "33"));
    await eventually("the repaired certificate is shown", async () => (await serial()) === "33");
  });
});
