import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { Member } from "../support/cluster.ts";
import { eventually } from "../support/eventually.ts";
import { type Origin, startOrigin } from "../support/origin.ts";

describe("a standalone runway", () => {
  const directory = mkdtempSync(join(tmpdir(), "runway-standalone-"));
  const file = join(directory, "runway.yaml");
  let origin: Origin;
  let member: Member;
  const write = (routes: string, blocks = "") =>
    writeFileSync(
      file,
      `admin: { port: 0 }\nworkers: 2\n${blocks}listeners: [{ id: http, address: "127.0.0.1:0" }]\nroutes:\n${routes}`,
    );
  const route = (id: string) => `  - { id: ${id}, path: /${id}, backends: [{ url: ${origin.url} }] }\n`;

  before(async () => {
    origin = await startOrigin();
    write(route("one"));
    member = new Member("standalone", file);
    await member.started();
    await member.ready();
  });
  after(async () => {
    await member.process.end("SIGKILL");
    await origin[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });

  it("serves the routes of its file and has no cluster endpoints", async () => {
    assert.equal((await member.get("/one")).status, 200);
    const missing = await member.get("/two");
    assert.equal(missing.status, 404);
    assert.equal(((await missing.json()) as { code: string }).code, "RW_ROUTE_NOT_FOUND");
    for (const path of ["/cluster/nodes", "/cluster/status", "/api/v1/config", "/api/v1/config/hash"]) {
      assert.equal((await member.admin(path)).status, 404, path);
    }
  });

  it("takes a changed file on POST /reload and says what changed", async () => {
    write(route("one") + route("two"));
    const answer = await member.admin("/reload", { method: "POST" });
    assert.equal(answer.status, 200);
    const { Success, Changes } = (await answer.json()) as { Success: boolean; Changes: string[] };
    assert.equal(Success, true);
    assert.deepEqual(Changes, ["route:two added"]);
    assert.equal((await member.get("/two")).status, 200);
    const [latest] = (await (await member.admin("/reload/status")).json()) as { Success: boolean; Changes: string[] }[];
    assert.deepEqual(latest?.Changes, ["route:two added"]);
  });

  it("takes a changed file on SIGHUP", async () => {
    write(route("three"));
    member.process.signal("SIGHUP");
    await eventually("the new route is served", async () => (await member.get("/three")).status === 200);
    assert.equal((await member.get("/two")).status, 404);
  });

  it("keeps what it has when the file is broken, answers 422 and names every problem", async () => {
    write(`${route("three")}  - { id: broken, path: nowhere }\n`);
    const answer = await member.admin("/reload", { method: "POST" });
    assert.equal(answer.status, 422);
    assert.match(await answer.text(), /routes\[1\]\.path/);
    assert.equal((await member.get("/three")).status, 200);
  });

  it("does not start on a broken file, and says where", async () => {
    const broken = join(directory, "broken.yaml");
    writeFileSync(broken, "routes:\n  - { id: x, pathh: /x }\n");
    const second = new Member("broken", broken);
    assert.equal(await second.process.exited(), 3);
    assert.match(second.process.stderr + JSON.stringify(second.process.lines), /line 2.*pathh.*path/);
  });

  it("finishes what is in flight on SIGTERM and ends with 0", async () => {
    assert.equal(await member.process.end("SIGTERM"), 0);
  });
});
