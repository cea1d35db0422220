import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { X509Certificate } from "node:crypto";
import { mkdtemp, readFile, rm, stat } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { connect, createServer } from "node:tls";
import { promisify } from "node:util";
import { createAuthority, issueControlPlane, issueDataPlane, type KeyPair } from "./certificate.ts";
import { KeyStore } from "./key-store.ts";

const hosts = ["localhost", "127.0.0.1", "::1", "cp.example.com"];
let authority: KeyPair;
let controlPlane: KeyPair;
let dataPlane: KeyPair;

before(async () => {
  authority = await createAuthority({ days: 3650 });
  controlPlane = await issueControlPlane(authority, { hosts, days: 365 });
  dataPlane = await issueDataPlane(authority, { nodeId: "edge-1", trustDomain: "runway", days: 365 });
});

async function temporaryStore(test: TestContext): Promise<KeyStore> {
  const directory = await mkdtemp(join(tmpdir(), "runway-pki-"));
  test.after(() => rm(directory, { recursive: true }));
  return new KeyStore(join(directory, "pki"));
}

/** What each side says of one mutual TLS 1.3 handshake on loopback: `accepted` or why not. */
async function handshake(client: Partial<KeyPair>, options: { ca?: string; serverName?: string } = {}) {
  const serverSays = Promise.withResolvers<string>();
  const clientSays = Promise.withResolvers<string>();
  const { certificate: cert, key } = controlPlane;
  // Not rejecting by itself, the server is told the reason.
  const trust = { ca: authority.certificate, requestCert: true, rejectUnauthorized: false };
  const server = createServer({ cert, key, ...trust, minVersion: "TLSv1.3" }, (socket) => {
    const name = socket.getPeerCertificate().subjectaltname;
    serverSays.resolve(socket.authorized ? `accepted ${name}` : String(socket.authorizationError));
    socket.on("error", () => {});
  });
  server.on("tlsClientError", ({ message }) => serverSays.resolve(message));
  await new Promise<void>((listening) => server.listen(0, "127.0.0.1", listening));
  const socket = connect(
    {
      port: (server.address() as AddressInfo).port,
      host: "127.0.0.1",
      ca: options.ca ?? authority.certificate,
      ...(options.serverName === undefined ? {} : { servername: options.serverName }),
      ...(client.certificate === undefined ? {} : { cert: client.certificate }),
      ...(client.key === undefined ? {} : { key: client.key }),
    },
    () => clientSays.resolve("accepted"),
  );
  socket.on("error", (error: NodeJS.ErrnoException) => clientSays.resolve(error.code ?? error.message));
  try {
    return { server: await serverSays.promise, client: await clientSays.promise };
  } finally {
    socket.destroy();
    server.close();
  }
}

describe("certificates", () => {
  it("satisfy OpenSSL for their purpose and for no other", async (test) => {
    const store = await temporaryStore(test);
    await store.write("ca", authority, { force: false });
    await store.write("cp", controlPlane, { force: false });
    await store.write("dp", dataPlane, { force: false });
    const verify = (purpose: string, name: string) =>
      promisify(execFile)("openssl", [
        ...["verify", "-x509_strict", "-purpose", purpose, "-CAfile", store.certificatePath("ca")],
        store.certificatePath(name),
      ]);
    await verify("sslserver", "cp");
    await verify("sslclient", "dp");
    await assert.rejects(verify("sslserver", "dp"));
    await assert.rejects(verify("sslclient", "cp"));
  });

  it("carry through a mutual TLS 1.3 handshake, with the node's name in the client's", async () => {
    const accepted = { server: "accepted URI:spiffe://runway/node/edge-1", client: "accepted" };
    assert.deepEqual(await handshake(dataPlane), accepted);
    assert.deepEqual(await handshake(dataPlane, { serverName: "cp.example.com" }), accepted);
  });

  it("are refused when missing, of a foreign authority, expired, or used as a server's", async () => {
    const foreign = await createAuthority({ days: 1 });
    const name = { nodeId: "edge-1", trustDomain: "runway", days: 1 };
    const expired = await issueDataPlane(authority, { ...name, nowMs: Date.now() - 10 * 86_400_000 });
    assert.equal((await handshake({})).server, "UNABLE_TO_GET_ISSUER_CERT");
    // Both authorities have the same name, as two runs of `pki init` do: only the key tells them apart.
    assert.match((await handshake(await issueDataPlane(foreign, name))).server, /SIGNATURE|ISSUER/);
    assert.equal((await handshake(expired)).server, "CERT_HAS_EXPIRED");
    assert.equal((await handshake(controlPlane)).server, "INVALID_PURPOSE");
  });

  it("of the control plane are refused by a node for another host or with another authority", async () => {
    const foreign = await createAuthority({ days: 1 });
    const { client } = await handshake(dataPlane, { serverName: "other.example.com" });
    assert.equal(client, "ERR_TLS_CERT_ALTNAME_INVALID");
    assert.match((await handshake(dataPlane, { ca: foreign.certificate })).client, /SELF_SIGNED|SIGNATURE|ISSUER/);
  });

  it("have serial numbers of their own and the validity that was asked for", () => {
    const [a, b] = [controlPlane, dataPlane].map(({ certificate }) => new X509Certificate(certificate));
    assert.notEqual(a!.serialNumber, b!.serialNumber);
    assert.equal(a!.serialNumber.length, 32);
    const days = (Date.parse(a!.validTo) - Date.parse(a!.validFrom)) / 86_400_000;
    assert.ok(days > 365 && days < 365.1);
    assert.equal(new X509Certificate(authority.certificate).ca, true);
  });
});

describe("KeyStore", () => {
  it("keeps keys from others and overwrites nothing unless forced", async (test) => {
    const store = await temporaryStore(test);
    await store.write("dp", dataPlane, { force: false });
    const mode = async (path: string) => (await stat(path)).mode & 0o777;
    assert.equal(await mode(store.directory), 0o700);
    assert.equal(await mode(store.keyPath("dp")), 0o600);
    await assert.rejects(store.write("dp", controlPlane, { force: false }), /exists already.*--force/);
    assert.equal(await readFile(store.keyPath("dp"), "utf8"), dataPlane.key);
    await store.write("dp", controlPlane, { force: true });
    assert.deepEqual(await store.read("dp"), controlPlane);
  });

  it("says what to do when there is no authority", async (test) => {
    await assert.rejects((await temporaryStore(test)).read("ca"), /runway pki init/);
  });
});
