import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { runInProcess } from "../../src/app/testing.ts";
import { Cluster } from "../support/cluster.ts";
import { RunwayProcess } from "../support/runway-process.ts";

describe("a node whose admin API asks who its callers are", () => {
  const directory = mkdtempSync(join(tmpdir(), "runway-access-"));
  const tokensFile = join(directory, "tokens.yaml");
  let node: RunwayProcess;
  let url: string;
  let secret: string;

  const get = (path: string, token?: string) =>
    fetch(url + path, token === undefined ? {} : { headers: { authorization: `Bearer ${token}` } });

  before(async () => {
    const made = await runInProcess(["token", "create", "ops", "--role", "operator", "--file", tokensFile]);
    secret = made.out.trim();
    const admin = `{ port: 0, require_authentication: true, tokens_file: ${tokensFile} }`;
    const file = join(directory, "runway.yaml");
    writeFileSync(file, `admin: ${admin}\nworkers: 1\nlisteners: [{ id: http, address: "127.0.0.1:0" }]\n`);
    node = new RunwayProcess(file);
    url = `http://${(await node.logged("The admin API is listening")).address}`;
  });
  after(async () => {
    await node.end("SIGKILL");
    rmSync(directory, { recursive: true, force: true });
  });

  it("lets in who has a token of its file, and tells a load balancer no more than it has to know", async () => {
    assert.equal((await get("/stats")).status, 401);
    assert.equal((await get("/stats", secret)).status, 200);
    assert.deepEqual(await (await get("/health")).json(), { status: "ok" });
    const { checks } = (await (await get("/health", secret)).json()) as { checks: object };
    assert.ok(checks);
  });

  it("writes down who did what, and never a secret", async () => {
    await fetch(`${url}/drain`, { method: "POST", headers: { authorization: `Bearer ${secret}` } });
    const line = await node.logged("Something was done through the admin API");
    assert.deepEqual([line.author, line.action], ["ops@127.0.0.1", "POST /drain"]);
    assert.ok(!JSON.stringify(node.lines).includes(secret));
  });

  it("takes a token that was added to the file, and no more the one that was taken out", async () => {
    writeFileSync(tokensFile, "tokens: []\n");
    const made = await runInProcess(["token", "create", "next", "--file", tokensFile]);
    await node.logged("The tokens were read again", ({ tokens }) => tokens === 1);
    assert.equal((await get("/stats", made.out.trim())).status, 200);
    assert.equal((await get("/stats", secret)).status, 401);
  });
});

describe("a control plane", () => {
  it("keeps its tokens over a restart", async () => {
    await using cluster = await Cluster.start("");
    const made = await runInProcess([
      "token",
      "create",
      "ci",
      "--role",
      "operator",
      "--admin",
      await cluster.controlPlane.adminUrl(),
    ]);
    const headers = { authorization: `Bearer ${made.out.trim()}` };
    assert.equal((await cluster.controlPlane.admin("/api/v1/whoami", { headers })).status, 200);
    await cluster.controlPlane.process.end("SIGTERM");
    await cluster.startControlPlane();
    const who = await cluster.controlPlane.admin("/api/v1/whoami", { headers });
    assert.deepEqual(await who.json(), { name: "ci", role: "operator" });
  });
});
