import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { type IncomingHttpHeaders, request } from "node:http";
import { request as secureRequest } from "node:https";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { after, before, describe, it } from "node:test";
import { createSecret, hashSecret } from "../../src/admin/access/token-secret.ts";
import { type AdminViews, adminOperations } from "../../src/admin/admin-operations.ts";
import type { AdminDeed } from "../../src/admin/admin-server.ts";
import {
  controlPlaneViews,
  SampleDesk,
  SampleFleet,
  sampleNode,
  sharedViews,
  startAdmin,
} from "../../src/admin/testing.ts";
import { runInProcess } from "../../src/app/testing.ts";
import type { AdminRole } from "../../src/config/node-settings.ts";
import { createAuthority, LOOPBACK_NAMES, type TestAuthority } from "../support/certificates.ts";
import { eventually } from "../support/eventually.ts";

interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

const REFUSED = { noToken: 401, unknown: 401, expired: 401, revoked: 401 } as const;

/** What the API is in general, which nobody has to be let in for. */
const REFERENCE = ["/openapi.json", "/docs"];

describe("access to the admin API", () => {
  const desk = new SampleDesk();
  const fleet = new SampleFleet(sampleNode("edge-1", { status: "offline" }));
  const own = controlPlaneViews(desk, fleet);
  const { tokens } = own;
  const views: AdminViews = { ...sharedViews(), ...own };
  const deeds: AdminDeed[] = [];
  const secrets = new Map<string, string>();
  let asked = 0;
  let server: Awaited<ReturnType<typeof startAdmin>>;

  async function make(name: string, role: AdminRole, extra = {}): Promise<void> {
    const secret = createSecret();
    secrets.set(name, secret);
    const base = { id: name, name, role, secretHash: hashSecret(secret)!, createdAt: 0, createdBy: "test" };
    await tokens.add({ ...base, ...extra });
  }

  before(async () => {
    for (const role of ["viewer", "operator", "administrator"] as const) await make(role, role);
    await make("expired", "administrator", { expiresAt: 1 });
    await make("revoked", "administrator", { revokedAt: 1 });
    secrets.set("unknown", createSecret());
    server = await startAdmin(views, { admin: { require_authentication: true }, deeds });
  });
  after(() => server.stop(AbortSignal.timeout(1_000)));

  /** From an address of its own, so that what others did wrong before does not matter. */
  async function ask(method: string, path: string, who: string, body = ""): Promise<Answer> {
    const secret = secrets.get(who);
    asked += 1;
    const options = {
      method,
      agent: false, // Connections are limited, and none is asked over twice.
      localAddress: `127.0.${1 + (asked >> 8)}.${asked & 255}`,
      headers: secret === undefined ? {} : { authorization: `Bearer ${secret}` },
    };
    const sent = request(server.url + path.replaceAll(/\{\w+\}/g, "no-such"), options).end(
      method === "GET" ? "" : body,
    );
    const [response] = await once(sent, "response");
    return { status: response.statusCode, headers: response.headers, body: await text(response) };
  }

  it("is refused for every operation without a token, with an unknown, an expired and a revoked one", async () => {
    const operations = adminOperations(views).filter(({ roles }) => roles.includes("control_plane"));
    assert.ok(operations.length > 20);
    for (const { method, path, access } of operations) {
      for (const [who, status] of Object.entries(REFUSED)) {
        const response = await ask(method, path, who);
        const isOpen = access === "everybody" && who === "noToken";
        assert.equal(response.status, isOpen ? 200 : status, `${method} ${path} ${who}`);
        if (!isOpen) assert.equal(response.headers["www-authenticate"], "Bearer");
        if (isOpen && !REFERENCE.includes(path)) assert.deepEqual(Object.keys(JSON.parse(response.body)), ["status"]);
        assert.doesNotMatch(response.body, /api\.example|edge-1|127\.0\.0\.1:9000/, `${method} ${path} leaks`);
      }
    }
    assert.equal((await ask("GET", "/no/such/endpoint", "noToken")).status, 401, "not even what there is not");
    assert.equal((await ask("PUT", "/drain", "noToken")).status, 401);
    assert.deepEqual(deeds, []);
    assert.deepEqual(desk.pushes, []);
  });

  it("is granted by role: viewers look, operators change, administrators say who may", async () => {
    for (const { method, path, access } of adminOperations(views)) {
      for (const [place, who] of ["viewer", "operator", "administrator"].entries()) {
        const needed = ["viewer", "operator", "administrator"].indexOf(access);
        const { status, body } = await ask(method, path, who);
        if (place < needed) assert.equal(status, 403, `${method} ${path} ${who}`);
        else assert.ok(status !== 401 && status !== 403, `${method} ${path} ${who}: ${status} ${body}`);
      }
    }
    assert.equal((await ask("PUT", "/health", "viewer")).status, 405);
    assert.deepEqual(JSON.parse((await ask("GET", "/api/v1/whoami", "operator")).body), {
      name: "operator",
      role: "operator",
    });
  });

  it("leaves its author's name with what was done", async () => {
    deeds.length = 0;
    assert.equal((await ask("POST", "/drain", "operator")).status, 200);
    assert.equal((await ask("DELETE", "/drain", "viewer")).status, 403);
    assert.deepEqual(
      deeds.map(({ author, action }) => [author.split("@")[0], action]),
      [["operator", "POST /drain"]],
    );
    const sample = "routes: [{ id: a, path: /a, backends: [{ url: 'http://a' }] }]";
    assert.equal((await ask("POST", "/api/v1/config?dry_run=true", "operator", sample)).status, 200);
    assert.match(desk.pushes.at(-1)!.author, /^operator@127\./);
  });

  it("is made and taken back through the API; a secret is shown once", async () => {
    const made = await ask(
      "POST",
      "/api/v1/tokens",
      "administrator",
      '{"name":"ci","role":"operator","expires_in":"8760h"}',
    );
    assert.equal(made.status, 201);
    const { id, token, expires_at } = JSON.parse(made.body);
    assert.ok(Date.parse(expires_at) > Date.now());
    secrets.set("ci", token);
    assert.equal((await ask("GET", "/stats", "ci")).status, 200);
    const list = await ask("GET", "/api/v1/tokens", "administrator");
    assert.match(list.body, /"name":"ci"/);
    assert.doesNotMatch(list.body, /secret|rwy_/);
    assert.equal((await ask("DELETE", `/api/v1/tokens/${id}`, "administrator")).status, 200);
    assert.equal((await ask("GET", "/stats", "ci")).status, 401);
    assert.equal((await ask("DELETE", "/api/v1/tokens/none", "administrator")).status, 404);
    const wrong = await ask("POST", "/api/v1/tokens", "administrator", '{"name":"","role":"king"}');
    assert.deepEqual(
      [wrong.status, JSON.parse(wrong.body).problems.map(({ path }: { path: string }) => path)],
      [400, ["name", "role"]],
    );
  });

  it("on loopback is open to everybody there, but for who shows a wrong token, unless the file says otherwise", async (test) => {
    const open = await startAdmin(views);
    test.after(() => open.stop(AbortSignal.timeout(1_000)));
    assert.equal((await fetch(`${open.url}/stats`)).status, 200);
    const headers = { authorization: `Bearer ${secrets.get("unknown")}` };
    assert.equal((await fetch(`${open.url}/stats`, { headers })).status, 401);
  });

  it("is refused before a body is read", async () => {
    const sent = request(`${server.url}/api/v1/config`, { method: "POST", headers: { "content-length": 1_000_000 } });
    sent.on("error", () => {}).flushHeaders();
    const [response] = await once(sent, "response");
    assert.equal(response.statusCode, 401);
    sent.destroy();
  });
});

describe("an admin API with TLS", () => {
  const directory = mkdtempSync(join(tmpdir(), "runway-admin-tls-"));
  let authority: TestAuthority;
  let stranger: TestAuthority;
  let server: Awaited<ReturnType<typeof startAdmin>>;
  const issued = new Map<string, { cert: string; key: string }>();

  async function issue(by: TestAuthority, name: string, options = {}) {
    const { certFile, keyFile } = await by.issue(name, { commonName: name, ...options });
    issued.set(name, { cert: readFileSync(certFile, "utf8"), key: readFileSync(keyFile, "utf8") });
    return { cert_file: certFile, key_file: keyFile };
  }

  before(async () => {
    authority = await createAuthority(directory, "authority");
    stranger = await createAuthority(directory, "stranger");
    const own = await issue(authority, "admin", { names: LOOPBACK_NAMES });
    await issue(authority, "ops");
    await issue(authority, "late", { names: [{ type: "dns", value: "ops" }], notAfter: new Date(Date.now() - 1_000) });
    await issue(authority, "alternative", { names: [{ type: "url", value: "spiffe://runway/ops" }] });
    await issue(authority, "nobody");
    await issue(stranger, "forged", { names: [{ type: "dns", value: "ops" }] });
    const desk = new SampleDesk();
    const views: AdminViews = { ...sharedViews(), role: "standalone", reload: desk };
    server = await startAdmin(views, {
      admin: {
        require_authentication: true,
        tls: { ...own, client_ca_file: authority.caFile, roles: { ops: "operator", "spiffe://runway/ops": "viewer" } },
      },
    });
  });
  after(async () => {
    await server.stop(AbortSignal.timeout(1_000));
    rmSync(directory, { recursive: true });
  });

  async function whoami(name?: string): Promise<string> {
    const shown = name === undefined ? {} : issued.get(name);
    const sent = secureRequest(`${server.url}/api/v1/whoami`, { ca: authority.ca, agent: false, ...shown }).end();
    const [response] = await once(sent, "response");
    return response.statusCode === 200 ? JSON.parse(await text(response)).role : String(response.resume().statusCode);
  }

  it("gives client certificates the role of their name", async () => {
    assert.deepEqual([await whoami("ops"), await whoami("alternative")], ["operator", "viewer"]);
  });

  it("takes none that is unknown, expired, of another authority or missing for anybody", async () => {
    for (const name of ["nobody", "late", "forged", undefined]) assert.equal(await whoami(name), "401", name ?? "none");
  });

  it("speaks no plain HTTP", async () => {
    await assert.rejects(fetch(server.url.replace("https", "http")));
  });

  it("is not reached by a command that takes it for another, which is told what to do", async () => {
    const plain = await runInProcess(["status", "--admin", server.url.replace("https", "http")]);
    assert.match(plain.err, /It may speak TLS: try https:/);
    const trusting = await runInProcess(["status", "--admin", server.url]);
    assert.match(trusting.err, /not trusted here: name its authority with --ca-file/);
    const known = await runInProcess(["status", "--admin", server.url, "--ca-file", authority.caFile]);
    assert.match(known.err, /Authorization: Bearer/);
    const clear = await startAdmin({ ...sharedViews(), role: "standalone", reload: new SampleDesk() }, {});
    const secret = await runInProcess(["status", "--admin", clear.url.replace("http", "https")]);
    assert.match(secret.err, /It does not speak TLS: try http:/);
    await clear.stop(AbortSignal.timeout(1_000));
  });

  it("shows a new certificate without a restart", async () => {
    const before = await serial();
    await issue(authority, "admin", { names: LOOPBACK_NAMES, serialNumber: "0badcafe" });
    await eventually("a new certificate is shown", async () => (await serial()) !== before);
    assert.match(await serial(), /BADCAFE/);
  });

  async function serial(): Promise<string> {
    const sent = secureRequest(`${server.url}/healthz`, { ca: authority.ca, agent: false }).end();
    const [response] = await once(sent, "response");
    const { serialNumber } = response.socket.getPeerCertificate();
    response.resume();
    return serialNumber;
  }
});
