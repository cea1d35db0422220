import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Cluster } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";

describe("a configuration that is pushed", () => {
  let origin: Origin;
  let cluster: Cluster;
  const route = (id: string, path: string) => `  - { id: ${id}, path: ${path}, backends: [{ url: ${origin.url} }] }\n`;

  before(async () => {
    origin = await startOrigin();
    cluster = await Cluster.start(`routes:\n${route("base", "/base")}`, 2);
  });
  after(async () => {
    await cluster[Symbol.asyncDispose]();
    await origin[Symbol.asyncDispose]();
  });

  async function everyDataPlaneAnswers(path: string, status: number): Promise<void> {
    for (const member of cluster.dataPlanes) {
      await eventually(
        `${member.name} answers ${path} with ${status}`,
        async () => (await member.get(path)).status === status,
      );
    }
  }

  it("reaches every data plane without a cluster block, and says what changed", async () => {
    const answer = await cluster.push(`routes:\n${route("base", "/base")}${route("api-v2", "/v2")}`);
    assert.equal(answer.status, 200);
    const result = (await answer.json()) as { Success: boolean; Timestamp: string; Changes: string[]; Version: number };
    assert.equal(result.Success, true);
    assert.ok(!Number.isNaN(Date.parse(result.Timestamp)));
    assert.deepEqual(result.Changes, ["route:api-v2 added"]);
    await everyDataPlaneAnswers("/v2", 200);
  });

  it("reaches every data plane with the cluster and admin blocks of a control plane's file, which stay where they are", async () => {
    const blocks = `cluster: { role: standalone }\nadmin: { port: 1 }\n`;
    const answer = await cluster.push(`${blocks}routes:\n${route("base", "/base")}${route("api-v3", "/v3")}`);
    assert.equal(answer.status, 200);
    const { Changes } = (await answer.json()) as { Changes: string[] };
    assert.deepEqual(Changes.sort(), ["route:api-v2 removed", "route:api-v3 added"]);
    await everyDataPlaneAnswers("/v3", 200);
    await everyDataPlaneAnswers("/v2", 404);
    await cluster.inSync();
  });

  it("answers when the connected fleet has applied it, if asked to wait", async () => {
    const answer = await cluster.push(
      `routes:\n${route("base", "/base")}${route("waited", "/waited")}`,
      "?wait=applied&timeout=10s",
    );
    assert.equal(answer.status, 200);
    for (const member of cluster.dataPlanes) assert.equal((await member.get("/waited")).status, 200);
  });

  it("is sent to nodes that run the version before as what changed", async () => {
    for (const member of cluster.dataPlanes) {
      const metrics = await (await member.admin("/metrics")).text();
      assert.match(metrics, /^runway_sync_configurations_total\{form="delta"\} [1-9]/m);
    }
  });

  it("makes no version when its content is what runs already, also when it comes from GET", async () => {
    const before = await cluster.version();
    const current = await (await cluster.controlPlane.admin("/api/v1/config")).text();
    const answer = await cluster.push(current);
    assert.equal(answer.status, 200);
    const { Changes } = (await answer.json()) as { Changes?: string[] };
    assert.deepEqual(Changes ?? [], []);
    assert.equal(await cluster.version(), before);
  });

  it("is refused with every problem named when it is broken, and nothing changes anywhere", async () => {
    const before = await cluster.version();
    const answer = await cluster.push(`routes:
  - { id: base, path: nowhere, backends: [{ url: "ftp://x" }] }
  - { id: base, path: /y, upstream: missing }
  - { id: z, path: /z, backend: [] }
`);
    assert.equal(answer.status, 400);
    const { problems, code } = (await answer.json()) as {
      code: string;
      problems: { path: string; line: number; message: string }[];
    };
    assert.equal(code, "RW_CONFIGURATION_INVALID");
    const paths = problems.map(({ path }) => path);
    for (const path of ["routes[0].path", "routes[0].backends[0].url", "routes[2].backend"]) {
      assert.ok(paths.includes(path), `${path} is not among ${JSON.stringify(paths)}`);
    }
    assert.match(problems.find(({ path }) => path === "routes[2].backend")!.message, /backends/);
    assert.equal(problems.find(({ path }) => path === "routes[0].path")!.line, 2);
    assert.equal(await cluster.version(), before);
    await everyDataPlaneAnswers("/waited", 200);
  });

  it("has no variables: who pushes does not learn the environment of the control plane", async () => {
    for (const [text, status] of [
      ["${HOME}", 400],
      ["$${HOME}", 200],
    ] as const) {
      const answer = await cluster.push(
        `routes:\n  - { id: home, path: /home, static: { body: "${text}" } }\n`,
        "?dry_run=true",
      );
      const body = await answer.text();
      assert.equal(answer.status, status, body);
      assert.ok(!body.includes(process.env.HOME ?? "/"), body);
      if (status === 400)
        assert.match(body, /routes\[0\]\.static\.body.*has a value only in a file that a node reads itself/);
    }
  });

  it("changes nothing on a dry run", async () => {
    const before = await cluster.version();
    const answer = await cluster.push(`routes:\n${route("base", "/base")}`, "?dry_run=true");
    assert.equal(answer.status, 200);
    const { Changes } = (await answer.json()) as { Changes: string[] };
    assert.deepEqual(Changes, ["route:waited removed"]);
    assert.equal(await cluster.version(), before);
  });

  it("is refused when the configuration has changed since it was read", async () => {
    const read = await cluster.controlPlane.admin("/api/v1/config");
    const etag = read.headers.get("etag")!;
    const post = (path: string) =>
      cluster.controlPlane.admin("/api/v1/config", {
        method: "POST",
        headers: { "if-match": etag },
        body: `routes:\n${route("base", "/base")}${route("conflict", path)}`,
      });
    assert.equal((await post("/one")).status, 200);
    assert.equal((await post("/two")).status, 412);
  });
});
