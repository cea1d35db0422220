import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { type ConnectionOptions, connect, type TLSSocket } from "node:tls";
import { runInProcess } from "../../src/app/testing.ts";
import { Cluster, type Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { ForwardProxy } from "../support/forward-proxy.ts";

/** Of the one that `runway join` prints, what a data plane's file of a test has to say itself. */
const filesOf = (directory: string) => {
  const identity = join(directory, "node.pem");
  return { certFile: identity, keyFile: identity };
};

describe("a node that joins", () => {
  let cluster: Cluster;
  before(async () => {
    cluster = await Cluster.start("", 0, { ca: "lifetime: 1h" });
  });
  after(() => cluster[Symbol.asyncDispose]());

  const invite = async (...options: string[]) => {
    const admin = await cluster.controlPlane.adminUrl();
    const { code, out, err } = await runInProcess(["nodes", "invite", ...options, "--admin", admin]);
    assert.equal(code, 0, err);
    return out.trim();
  };
  const joinWith = (token: string, directory: string, ...options: string[]) =>
    runInProcess(
      [
        ...["join", "--control-plane", `localhost:${cluster.clusterPort}`, "--token-file", "-"],
        ...["--dir", join(cluster.directory, directory), ...options],
      ],
      { input: `${token}\n` },
    );
  const metrics = async (of: Member) => (await of.admin("/metrics")).text();

  it("has a certificate for its id alone, a key that only its owner can read, and is in sync with them", async () => {
    const { code, out, err } = await joinWith(await invite("--node-id", "edge-1"), "edge-1");
    assert.equal(code, 0, err);
    assert.match(out, /node_id: edge-1\n.*cert_file: .*node\.pem\n.*key_file: .*node\.pem\n.*ca_file: .*ca\.crt/s);
    const directory = join(cluster.directory, "edge-1");
    assert.deepEqual(readdirSync(directory).sort(), ["ca.crt", "node.pem"]);
    assert.equal(statSync(join(directory, "node.pem")).mode & 0o777, 0o600);
    const certificate = new X509Certificate(readFileSync(join(directory, "node.pem")));
    assert.equal(certificate.subjectAltName, "URI:spiffe://runway/node/edge-1");
    const lifetimeMs = certificate.validToDate.getTime() - Date.now();
    assert.ok(lifetimeMs > 0 && lifetimeMs <= 3_600_000);
    const caFile = join(directory, "ca.crt");
    await cluster.addDataPlane("edge-1", { certificate: filesOf(directory), caFile, listeners: "" });
    await cluster.inSync();
  });

  it("joins through a proxy, and connects through it too with the block that it is told", async () => {
    await using proxy = await ForwardProxy.start("node:s3cret/");
    const token = await invite("--node-id", "far");
    const astray = await joinWith(token, "far", "--proxy", proxy.url("node:guess").href);
    assert.match(astray.err, /the proxy asks for other credentials \(407\)/);
    const { code, out, err } = await joinWith(token, "far", "--proxy", proxy.url("node:s3cret%2F").href);
    assert.equal(code, 0, err);
    assert.equal(proxy.tunnels, 2);
    const [settings = ""] = /proxy: .*/.exec(out) ?? [];
    assert.ok(settings.includes(proxy.url("node:s3cret%2F").href));
    const directory = join(cluster.directory, "far");
    const caFile = join(directory, "ca.crt");
    await cluster.addDataPlane("far", { certificate: filesOf(directory), caFile, listeners: "", settings });
    await cluster.inSync();
    assert.ok(proxy.tunnels > 2);
    assert.match((await joinWith(token, "x", "--proxy", "proxy:3128")).err, /--proxy must be a URL such as/);
  });

  it("needs a token that nobody has used, and is told who did", async () => {
    const token = await invite();
    const first = await joinWith(token, "first", "--node-id", "edge-2");
    assert.equal(first.code, 0, first.err);
    const second = await joinWith(token, "second", "--node-id", "edge-3");
    assert.match(second.err, /the token was used at .*, by node edge-2/);
    assert.deepEqual(readdirSync(join(cluster.directory, "second")), []);
    assert.match((await joinWith(await invite(), "third", "--node-id", "edge-2")).err, /node edge-2 exists already/);
    assert.match((await joinWith(await invite(), "first")).err, /node\.pem exists already.*--force/);
    const audit = (await (await cluster.controlPlane.admin("/api/v1/audit")).json()) as { data: { action: string }[] };
    assert.ok(audit.data.some(({ action }) => action === "node.join"));
  });

  it("does not show its token to a control plane whose authority the token does not name", async () => {
    const [secret] = (await invite()).split(".");
    const { code, err } = await joinWith(`${secret}.${"A".repeat(43)}`, "cheated");
    assert.notEqual(code, 0);
    assert.match(err, /does not have the authority that the token names.*The token was not sent/);
    const listed = await (await cluster.controlPlane.admin("/api/v1/join-tokens")).json();
    assert.equal((listed as { data: { status: string }[] }).data[0]?.status, "valid");
  });

  it("is let in for nothing else: without a certificate there is no stream, not by a resumed session either", async () => {
    const before = await metrics(cluster.controlPlane);
    assert.doesNotMatch(before, /reason="ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"\} [1-9]/);
    const sessions: Buffer[] = [];
    const joining = await dial({ ALPNProtocols: ["runway-join/1"] }, (session) => sessions.push(session));
    joining.write("GET /v1/authorities HTTP/1.1\r\nHost: cp\r\n\r\n");
    await ended(joining);
    for (const protocol of ["h2", "http/1.1"])
      for (const session of [undefined, ...sessions])
        await ended(await dial({ ALPNProtocols: [protocol], ...(session === undefined ? {} : { session }) }));
    await eventually("each attempt is counted", async () => {
      const count = /reason="ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE"\} (\d+)/.exec(
        await metrics(cluster.controlPlane),
      )?.[1];
      return Number(count) === 2 * (1 + sessions.length);
    });
  });

  it("renews its certificate by itself while its stream goes on, and comes back with the new one", async () => {
    await using hasty = await Cluster.start("", 0, { ca: "lifetime: 10s" });
    const admin = await hasty.controlPlane.adminUrl();
    const token = (await runInProcess(["nodes", "invite", "--node-id", "brief", "--admin", admin])).out;
    const directory = join(hasty.directory, "brief");
    const joining = [
      "join",
      "--control-plane",
      `localhost:${hasty.clusterPort}`,
      "--token-file",
      "-",
      "--dir",
      directory,
    ];
    const joined = await runInProcess(joining, { input: token });
    assert.match(joined.out, /renew: true/);
    const node = await hasty.addDataPlane("brief", {
      ...{ certificate: filesOf(directory), caFile: join(directory, "ca.crt"), listeners: "" },
      env: { RUNWAY_CLUSTER_DATA_PLANE_TLS_RENEW: "true" },
    });
    await hasty.inSync();
    const known = async () => {
      const row = (await hasty.node("brief"))!;
      return { since: row.connected_at, fingerprint: (row.certificate as { fingerprint: string }).fingerprint };
    };
    const before = await known();
    const after = await eventually("the control plane knows another certificate of it", async () => {
      const now = await known();
      return now.fingerprint !== before.fingerprint && now;
    });
    assert.equal(after.since, before.since);
    await node.restart();
    await eventually("it is back", async () => (await node.status()).connected);
  });

  it("is told where a control plane signs no certificates", async () => {
    await using closed = await Cluster.start("");
    const admin = await closed.controlPlane.adminUrl();
    const invited = await runInProcess(["nodes", "invite", "--admin", admin]);
    assert.match(invited.err, /signs no certificates\. Set cluster\.control_plane\.ca/);
    const joined = await runInProcess([
      ...["join", "--control-plane", `localhost:${closed.clusterPort}`, "--token", await invite()],
      ...["--dir", join(closed.directory, "nobody")],
    ]);
    assert.match(joined.err, /it lets no nodes join; set cluster\.control_plane\.ca there/);
  });

  async function dial(options: ConnectionOptions, onSession = (_session: Buffer): void => {}): Promise<TLSSocket> {
    const { promise, resolve, reject } = Promise.withResolvers<TLSSocket>();
    const ca = cluster.authority.ca;
    const socket = connect({ port: cluster.clusterPort, host: "127.0.0.1", ca, ...options }, () => resolve(socket));
    socket.on("session", onSession);
    socket.on("error", reject);
    return promise;
  }
});

/** Until the other side has closed it. */
async function ended(socket: TLSSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  socket.resume();
  if (socket.destroyed) resolve();
  await promise;
}
