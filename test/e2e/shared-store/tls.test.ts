import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type CertificateFiles, createAuthority, type TestAuthority } from "../../support/certificates.ts";
import { Cluster } from "../../support/cluster.ts";
import { PostgresServer, postgresMissing } from "../../support/postgres-server.ts";

/** As `sslmode=verify-full` of PostgreSQL's own programs: authority and name are both looked at. */
describe("a PostgreSQL that speaks TLS", { skip: postgresMissing() ?? false }, () => {
  let directory: string;
  let authority: TestAuthority;
  let stranger: TestAuthority;
  let client: CertificateFiles;
  let server: PostgresServer;

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), "runway-pg-tls-"));
    authority = await createAuthority(directory, "database");
    stranger = await createAuthority(directory, "stranger");
    const names = [
      { type: "ip", value: "127.0.0.1" },
      { type: "dns", value: "db.internal" },
    ] as const;
    const shown = await authority.issue("server", { commonName: "db.internal", names });
    client = await authority.issue("client", { commonName: "postgres" });
    server = await PostgresServer.start({ ...shown, clientCaFile: authority.caFile });
  });
  after(async () => {
    await server[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  const shows = () => `cert_file: ${client.certFile}, key_file: ${client.keyFile}`;
  const startWith = async (tls: string, host = "127.0.0.1") => {
    const store = new URL(await server.newDatabase());
    store.hostname = host;
    return Cluster.start("", 0, { store: store.href, postgres: `start_timeout: 200ms, tls: { ${tls} }` });
  };

  it("is used when its authority and its name are right, with a certificate of our own", async () => {
    await using cluster = await startWith(`enabled: true, ca_file: ${authority.caFile}, ${shows()}`);
    assert.equal(await cluster.version(), 1);
    const rows = await server.query(
      "postgres",
      "SELECT bool_and(ssl) AS ssl, count(*) AS count FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name = 'runway'",
    );
    assert.equal(rows[0]!.ssl, true);
    assert.ok(Number(rows[0]!.count) >= 2);
  });

  it("may be called by another name than the certificate's, when that name is set", async () => {
    const tls = `enabled: true, ca_file: ${authority.caFile}, ${shows()}`;
    await assert.rejects(startWith(tls, "localhost"), /certificate is for another name.*server_name/);
    await using cluster = await startWith(`${tls}, server_name: db.internal`, "localhost");
    assert.equal(await cluster.version(), 1);
  });

  it("is refused when another authority signed for it", () =>
    assert.rejects(
      startWith(`enabled: true, ca_file: ${stranger.caFile}, ${shows()}`),
      /The PostgreSQL database \w+ at 127\.0\.0\.1:\d+ cannot be used: its certificate is of no authority that is trusted here; look at postgres\.tls\.ca_file/,
    ));

  it("refuses whom it does not know, and that is said", async () => {
    await assert.rejects(startWith("enabled: false"), /does not let this user in; look at the user and pg_hba\.conf/);
    await assert.rejects(startWith(`enabled: true, ca_file: ${authority.caFile}`), /does not let this user in/);
  });

  it("is not spoken to in clear when it does not speak TLS", async () => {
    await using plain = await PostgresServer.start();
    const store = await plain.newDatabase();
    const postgres = `start_timeout: 200ms, tls: { enabled: true, ca_file: ${authority.caFile} }`;
    await assert.rejects(Cluster.start("", 0, { store, postgres }), /TLS failed \(The server does not support SSL/);
  });
});
