import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { runInProcess } from "../../src/app/testing.ts";
import { Cluster } from "../support/cluster.ts";
import { DescribedApi } from "../support/described-api.ts";

interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what the API answers is looked at field by field.
  readonly json: any;
}

const to = (url: string) => ({ backends: [{ url }] });

describe("the resource API of a control plane", () => {
  let cluster: Cluster;
  let api: DescribedApi;
  before(async () => {
    cluster = await Cluster.start("upstreams: { shop: { backends: [{ url: 'http://shop:80' }] } }\n", 1);
    api = await DescribedApi.of(await cluster.controlPlane.adminUrl());
  });
  after(() => cluster[Symbol.asyncDispose]());

  /** Every answer has to be one that the OpenAPI document describes. */
  async function ask(
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Answer> {
    const response = await cluster.controlPlane.admin(`/api/v1${path}`, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const contentType = response.headers.get("content-type");
    api.requireDescribed({ method, path: `/api/v1${path}`, status: response.status, contentType, text });
    return { status: response.status, headers: response.headers, json: text === "" ? undefined : JSON.parse(text) };
  }
  const version = () => cluster.version();

  it("adds, shows, replaces, patches and removes a resource of any kind", async () => {
    const added = await ask("POST", "/routes?message=new", {
      id: "one",
      path: "/one",
      upstream: "shop",
      tags: ["a", "b"],
    });
    assert.equal(added.status, 201);
    assert.equal(added.headers.get("location"), "/api/v1/routes/one");
    assert.deepEqual(added.json.changes[0], {
      kind: "route",
      id: "one",
      action: "added",
      before: null,
      after: { id: "one", path: "/one", upstream: "shop", tags: ["a", "b"] },
    });
    assert.equal((await ask("POST", "/routes", { id: "one", path: "/x", upstream: "shop" })).status, 409);
    const put = await ask("PUT", "/routes/one", { path: "/uno", upstream: "shop" });
    assert.deepEqual([put.status, put.json.data], [200, { id: "one", path: "/uno", upstream: "shop" }]);
    assert.equal((await ask("PUT", "/routes/two", { path: "/two", upstream: "shop" })).status, 201);
    const patched = await ask("PATCH", "/routes/two", { methods: ["GET"], timeout_policy: { request: "1s" } });
    assert.deepEqual(patched.json.data.methods, ["GET"]);
    const cut = await ask("PATCH", "/routes/two", { methods: null });
    assert.deepEqual(Object.keys(cut.json.data), ["id", "path", "upstream", "timeout_policy"]);
    assert.equal((await ask("PUT", "/settings/logging", { level: "debug" })).status, 201);
    assert.deepEqual((await ask("GET", "/settings/logging")).json, { id: "logging", level: "debug" });
    assert.equal((await ask("DELETE", "/settings/logging")).status, 200);
    assert.equal((await ask("DELETE", "/routes/two")).json.changes[0].action, "removed");
    assert.equal((await ask("GET", "/routes/two")).status, 404);
    assert.equal((await ask("DELETE", "/routes/two")).status, 404);
    assert.equal((await ask("PUT", "/settings/nothing", {})).status, 404);
  });

  it("has the targets of an upstream under addresses of their own", async () => {
    const added = await ask("POST", "/upstreams/shop/targets", { url: "http://shop-2:80", weight: 3 });
    assert.equal(added.status, 200);
    const target = `/upstreams/shop/targets/${encodeURIComponent("http://shop-2:80")}`;
    assert.deepEqual((await ask("GET", target)).json, { url: "http://shop-2:80", weight: 3 });
    await ask("PATCH", target, { weight: 5 });
    assert.deepEqual((await ask("GET", "/upstreams/shop/targets")).json.data, [
      { url: "http://shop:80" },
      { url: "http://shop-2:80", weight: 5 },
    ]);
    assert.equal((await ask("POST", "/upstreams/shop/targets", { url: "http://shop-2:80" })).status, 409);
    assert.equal((await ask("POST", "/upstreams/shop/targets", { url: "nonsense" })).status, 400);
    assert.equal((await ask("DELETE", target)).status, 200);
    assert.equal((await ask("GET", target)).status, 404);
  });

  it("has the credentials of a consumer under addresses of their own", async () => {
    const credentials = "/consumers/alice/credentials";
    const hash = (digit: string) => `sha256:${digit.repeat(64)}`;
    assert.equal((await ask("GET", credentials)).status, 404);
    await ask("PUT", "/consumers/alice", { tags: ["staff"] });
    assert.deepEqual((await ask("GET", credentials)).json.data, []);
    const keys = `${credentials}/api_key/keys`;
    assert.equal((await ask("POST", keys, { name: "ci", hash: hash("a") })).status, 200);
    assert.equal((await ask("POST", keys, { name: "laptop", hash: hash("b") })).status, 200);
    assert.equal((await ask("POST", keys, { name: "ci", hash: hash("c") })).status, 409);
    const nameless = await ask("POST", keys, { hash: hash("c") });
    assert.deepEqual([nameless.status, nameless.json.problems[0].path], [400, "name"]);
    const misshapen = await ask("POST", keys, { name: "new", hash: "plain" });
    assert.deepEqual([misshapen.status, misshapen.json.problems[0].path], [400, "api_key.keys[2].hash"]);
    await ask("PATCH", `${keys}/ci`, { expires_at: "2030-01-01T00:00:00Z" });
    const ci = { name: "ci", hash: hash("a"), expires_at: "2030-01-01T00:00:00Z" };
    assert.deepEqual((await ask("GET", `${keys}/ci`)).json, ci);

    const basic = { username: "alice", password_hash: `scrypt:16384:8:1:${"A".repeat(22)}:${"A".repeat(43)}` };
    assert.equal((await ask("PUT", `${credentials}/basic_auth`, basic)).status, 200);
    const { json, headers } = await ask("PATCH", `${credentials}/basic_auth`, { username: "al" });
    assert.deepEqual([json.changes[0].id, json.changes[0].after.basic_auth.username], ["alice", "al"]);
    assert.equal(headers.get("etag"), null);
    const held = await ask("GET", credentials);
    assert.deepEqual(
      held.json.data.map(({ plugin }: { plugin: string }) => plugin),
      ["api_key", "basic_auth"],
    );
    const late = await ask("DELETE", `${keys}/ci`, undefined, { "if-match": '"0000000000000000"' });
    assert.equal(late.status, 412, "an ETag is about the consumer as a whole");
    const tag = held.headers.get("etag")!;
    assert.equal((await ask("DELETE", `${keys}/ci`, undefined, { "if-match": tag })).status, 200);
    assert.equal((await ask("DELETE", `${keys}/laptop`)).status, 200);
    assert.equal((await ask("GET", `${credentials}/api_key`)).status, 404, "with its last key it is gone");
    assert.equal((await ask("PUT", `${credentials}/cors`, {})).status, 404);
    assert.equal((await ask("DELETE", `${credentials}/basic_auth`)).status, 200);
    assert.deepEqual((await ask("GET", "/consumers/alice")).json, { id: "alice", tags: ["staff"] });
  });

  it("says what is wrong with its path, and changes nothing", async () => {
    const before = await version();
    const misshapen = await ask("PUT", "/routes/bad", { path: "no-slash", upstrem: "shop", order: 1 });
    assert.equal(misshapen.status, 400);
    assert.deepEqual(misshapen.json.problems.map(({ path }: { path: string }) => path).toSorted(), [
      "", // It has neither backends nor an upstream.
      "order",
      "path",
      "upstrem",
    ]);
    const homeless = await ask("PUT", "/routes/bad", { path: "/bad", upstream: "nowhere" });
    assert.equal(homeless.status, 422);
    assert.deepEqual([homeless.json.problems[0].kind, homeless.json.problems[0].id], ["route", "bad"]);
    assert.equal((await ask("DELETE", "/upstreams/shop")).status, 422, "a route goes there");
    assert.equal((await ask("PUT", "/routes/-bad-", { path: "/x", upstream: "shop" })).status, 400);
    assert.equal((await ask("PUT", "/routes/one", { id: "other", path: "/x", upstream: "shop" })).status, 400);
    assert.equal((await ask("PUT", "/routes/one", "text")).status, 400);
    assert.equal(await version(), before);
  });

  it("finds out on a dry run what would change, and whether it could", async () => {
    const before = await version();
    const dry = await ask("PATCH", "/routes/one?dry_run=true", { path: "/eins" });
    assert.equal(dry.json.dry_run, true);
    assert.deepEqual([dry.json.changes[0].before.path, dry.json.changes[0].after.path], ["/uno", "/eins"]);
    assert.equal((await ask("PATCH", "/routes/one?dry_run=true", { upstream: "nowhere" })).status, 422);
    assert.equal((await ask("GET", "/routes/one")).json.path, "/uno");
    assert.equal(await version(), before);
  });

  it("refuses a change that depends on what is no longer so", async () => {
    const tag = (await ask("GET", "/routes/one")).headers.get("etag")!;
    assert.equal((await ask("PATCH", "/routes/one", { methods: ["GET"] }, { "if-match": tag })).status, 200);
    const late = await ask("PATCH", "/routes/one", { methods: ["PUT"] }, { "if-match": tag });
    assert.deepEqual([late.status, late.json.code], [412, "RW_VERSION_CONFLICT"]);
    assert.equal((await ask("DELETE", "/routes/one", undefined, { "if-match": tag })).status, 412);
    assert.equal(
      (await ask("PUT", "/routes/one", { path: "/x", upstream: "shop" }, { "if-none-match": "*" })).status,
      412,
    );
    assert.deepEqual((await ask("GET", "/routes/one")).json.methods, ["GET"]);
  });

  it("makes many changes as one version, or none of them", async () => {
    const before = await version();
    const upserts = [
      { kind: "upstream", id: "blog", spec: to("http://blog:80") },
      { kind: "route", id: "blog", spec: { path: "/blog", upstream: "blog" } },
    ];
    const half = await ask("POST", "/changes", {
      upserts: [...upserts, { kind: "route", id: "lost", spec: { path: "/lost", upstream: "nowhere" } }],
    });
    assert.deepEqual([half.status, half.json.problems[0].id], [422, "lost"]);
    const misshapen = await ask("POST", "/changes", { upserts: [...upserts, { kind: "route", id: "x", spec: {} }] });
    assert.equal(misshapen.status, 400);
    assert.equal((await ask("POST", "/changes", { upserts, removals: [{ kind: "route", id: "none" }] })).status, 404);
    assert.equal((await ask("GET", "/upstreams/blog")).status, 404);
    assert.equal(await version(), before);
    const whole = await ask("POST", "/changes?message=blog&wait=applied", { upserts });
    assert.deepEqual([whole.status, whole.json.version, whole.json.fleet.complete], [200, before + 1, true]);
    assert.deepEqual(whole.json.fleet.applied, ["dp-1"]);
  });

  it("reaches the same state as a document does, whichever way", async () => {
    await ask("PUT", "/routes/first", { path: "/same", upstream: "shop" });
    await ask("PUT", "/routes/second", { path: "/same", upstream: "shop", methods: ["GET"] });
    await ask("PUT", "/routes/third", { path: "/same", upstream: "shop", match: { domains: ["a.test"] } });
    await ask("DELETE", "/routes/second");
    const yaml = await (await cluster.controlPlane.admin("/api/v1/config")).text();
    const pushed = (await (await cluster.push(yaml)).json()) as { Changes: unknown };
    assert.deepEqual(pushed.Changes, []);
  });

  it("keeps a history of who changed what and why, tells versions apart, and goes back", async () => {
    const { json } = await ask("GET", "/versions?size=200");
    const numbers: number[] = json.data.map((entry: { version: number }) => entry.version);
    assert.deepEqual(
      numbers,
      Array.from({ length: await version() }, (_, index) => numbers[0]! - index),
    );
    const blog = json.data.find((entry: { message: string }) => entry.message === "blog");
    assert.deepEqual([blog.author, blog.source], ["anonymous@127.0.0.1", "admin-api"]);
    const diff = await ask("GET", `/versions/${blog.version}/diff/${blog.version - 1}`);
    assert.deepEqual(
      diff.json.changes.map(({ kind, id, action }: Record<string, string>) => `${kind}:${id} ${action}`),
      ["route:blog removed", "upstream:blog removed"],
    );
    const old = await ask("GET", `/versions/${blog.version}`);
    const back = await ask("POST", "/rollback", { version: blog.version });
    assert.deepEqual([back.json.version, back.json.hash_hex], [numbers[0]! + 1, old.json.hash_hex]);
    const head = await ask("GET", `/versions/${back.json.version}`);
    assert.equal(head.json.message, `back to version ${blog.version}`);
    assert.equal(head.json.yaml, old.json.yaml);
    assert.equal((await ask("GET", "/versions/99999")).status, 404);
    assert.equal((await ask("POST", "/rollback", { version: 99_999 })).status, 404);
  });

  it("has an audit log that is whole", async () => {
    const { json } = await ask("GET", "/audit?size=1000");
    assert.ok(json.data.length >= (await version()));
    const verdict = await ask("GET", "/audit/verification");
    assert.deepEqual([verdict.json.whole, verdict.json.newest_hash], [true, json.data.at(-1).hash]);
  });

  it("describes what may be written, and says whether something is right", async () => {
    const { json } = await ask("GET", "/schemas");
    assert.ok(json.data.some(({ name }: { name: string }) => name === "upstreams"));
    assert.equal((await ask("GET", "/schemas/routes")).json.properties.path.type, "string");
    assert.equal((await ask("POST", "/schemas/routes/validate", { id: "x", path: "/x", upstream: "y" })).status, 200);
    const wrong = await ask("POST", "/schemas/routes/validate", { id: "x", path: 7 });
    assert.equal(wrong.status, 400);
    assert.equal((await ask("GET", "/schemas/nothing")).status, 404);
  });

  it("is at hand on the command line", async () => {
    const admin = ["--admin", await cluster.controlPlane.adminUrl()];
    const history = await runInProcess(["history", ...admin, "--limit", "3"]);
    assert.match(history.out, /VERSION +WHEN +AUTHOR +SOURCE +MESSAGE\n\d+ .*back to version/);
    const head = await version();
    const diff = await runInProcess(["diff", String(head - 1), String(head), ...admin]);
    assert.deepEqual([diff.code, diff.err], [1, ""]);
    assert.match(diff.out, /^ {2}- route:(first|third)$/m);
    const shown = await runInProcess(["show", String(head), ...admin]);
    assert.match(shown.out, /^upstreams:\n/);
    const dry = await runInProcess(["rollback", String(head - 1), "--dry-run", ...admin]);
    assert.match(dry.out, /would/);
    assert.equal(await version(), head);
    const back = await runInProcess(["rollback", String(head - 1), "-m", "it was better", "--wait", ...admin]);
    assert.equal(back.code, 0, back.err);
    assert.equal(await version(), head + 1);
    const missing = await runInProcess(["rollback", "99999", ...admin]);
    assert.match(missing.err, /not kept/);
    const late = await runInProcess(["rollback", "1", "--if-version", String(head), ...admin]);
    assert.deepEqual([late.code, await version()], [5, head + 1], late.err);
    assert.match(late.err, /asks for|current version/);
    const audit = await runInProcess(["audit", ...admin]);
    assert.ok(
      audit.out
        .trimEnd()
        .split("\n")
        .every((line) => JSON.parse(line).hash.length === 64),
    );
  });
});

describe("the command line", () => {
  let cluster: Cluster;
  let admin: readonly string[];
  before(async () => {
    cluster = await Cluster.start("upstreams: { shop: { backends: [{ url: 'http://shop:80' }] } }\n");
    admin = ["--admin", await cluster.controlPlane.adminUrl()];
  });
  after(() => cluster[Symbol.asyncDispose]());
  const run = (args: readonly string[], input = "") => runInProcess([...args, ...admin], { input });
  const change = (content: object, ...options: string[]) => run(["change", "-", ...options], JSON.stringify(content));

  it("changes many resources at once, after a look at what would change", async () => {
    const upserts = [
      { kind: "upstream", id: "blog", spec: to("http://blog:80") },
      { kind: "route", id: "blog", spec: { path: "/blog", upstream: "blog", tags: ["text"] } },
    ];
    const before = await cluster.version();
    const dry = await change({ upserts }, "--dry-run");
    assert.match(dry.out, /^Version \d+ would have 2 changes:\n {2}\+ route:blog\n {2}\+ upstream:blog\n$/);
    assert.equal(await cluster.version(), before);
    const made = await change({ upserts }, "-m", "a blog", "--if-version", String(before));
    assert.deepEqual([made.code, await cluster.version()], [0, before + 1], made.err);
    assert.match((await run(["history", "-n", "1"])).out, /a blog/);
  });

  it("makes none of a set of changes of which one cannot be made, and says which", async () => {
    const before = await cluster.version();
    const upserts = [
      { kind: "route", id: "good", spec: { path: "/good", upstream: "blog" } },
      { kind: "route", id: "lost", spec: { path: "/lost", upstream: "nowhere" } },
    ];
    const half = await change({ upserts });
    assert.equal(half.code, 5);
    assert.match(half.err, /lost.*nowhere/s);
    const misshapen = await change({ upserts: [upserts[0], { kind: "route", id: "x", spec: { path: "x" } }] });
    assert.equal(misshapen.code, 3);
    assert.match(misshapen.err, /route:x.*path/s);
    assert.equal((await run(["get", "routes", "good"])).code, 1);
    assert.equal(await cluster.version(), before);
    const unreadable = await run(["change", "-"], "upserts: [");
    assert.match(unreadable.err, /- is not valid YAML: line 1/);
  });

  it("refuses what depends on a version that is no longer the newest", async () => {
    const head = await cluster.version();
    const removals = [{ kind: "route", id: "blog" }];
    for (const late of [
      await change({ removals }, "--if-version", String(head - 1)),
      await run(["push", "-", "--if-version", String(head - 1)], "routes: []\n"),
      await run(["rollback", "1", "--if-version", String(head - 1)]),
    ]) {
      assert.equal(late.code, 5, late.out);
      assert.match(late.err, /If-Match asks for/);
    }
    assert.equal(await cluster.version(), head);
  });

  it("shows one resource, and finds resources by their tags", async () => {
    const one = await run(["get", "routes", "blog"]);
    assert.equal(one.out, "id: blog\npath: /blog\nupstream: blog\ntags:\n  - text\n");
    assert.equal((await run(["get", "routes", "--tags", "text,other"])).out, "ID  TAGS\n");
    assert.equal((await run(["get", "routes", "--tags", "text/other"])).out, "ID    TAGS\nblog  text\n");
    assert.match((await run(["get", "nothing"])).err, /is no endpoint/);
  });
});

describe("ten thousand routes", () => {
  it("are shown page by page, by tags too, each once, while others come and go", async () => {
    const routes = Array.from({ length: 10_000 }, (_, index) => {
      const id = `r-${String(index).padStart(5, "0")}`;
      const tags = [index % 2 === 0 ? "even" : "odd", ...(index % 5 === 0 ? ["five"] : [])];
      return { id, path: `/${id}`, upstream: "shop", tags };
    });
    const document = { upstreams: { shop: to("http://shop:80") }, routes };
    await using cluster = await Cluster.start(`${JSON.stringify(document.upstreams).replace(/^/, "upstreams: ")}\n`);
    const pushed = await cluster.push(JSON.stringify(document));
    assert.equal(pushed.status, 200);

    async function all(first: string, between = async () => {}): Promise<string[]> {
      const ids: string[] = [];
      for (let next: string | null = first; next !== null; await between()) {
        const page = (await (await cluster.controlPlane.admin(next)).json()) as {
          data: { id: string }[];
          next: string | null;
        };
        ids.push(...page.data.map(({ id }) => id));
        next = page.next;
      }
      return ids;
    }
    assert.deepEqual(
      await all("/api/v1/routes?size=1000"),
      routes.map(({ id }) => id),
    );
    const tagged = await all("/api/v1/routes?size=700&tags=even,five");
    assert.deepEqual(
      tagged,
      routes.filter((_, index) => index % 10 === 0).map(({ id }) => id),
    );
    assert.equal((await all("/api/v1/routes?size=1000&tags=odd/five")).length, 6_000);
    assert.equal((await cluster.controlPlane.admin("/api/v1/routes?tags=a,b/c")).status, 400);
    assert.equal((await cluster.controlPlane.admin("/api/v1/routes?size=0")).status, 400);
    assert.equal((await cluster.controlPlane.admin("/api/v1/routes?offset=!")).status, 400);

    const admin = ["--admin", await cluster.controlPlane.adminUrl()];
    const listed = await runInProcess(["get", "routes", ...admin]);
    assert.deepEqual(
      listed.out
        .trimEnd()
        .split("\n")
        .slice(1)
        .map((line) => line.split(" ")[0]),
      routes.map(({ id }) => id),
    );
    const json = await runInProcess(["get", "routes", "--tags", "even,five", "--json", ...admin]);
    assert.equal(JSON.parse(json.out).length, 1_000);

    let removed = 0;
    const meanwhile = await all("/api/v1/routes?size=1000", async () => {
      const id = routes[removed * 1_000]!.id;
      removed += 1;
      await cluster.controlPlane.admin(`/api/v1/routes/${id}`, { method: "DELETE" });
    });
    assert.equal(new Set(meanwhile).size, meanwhile.length);
    assert.equal(meanwhile.length, 10_000, "what is removed behind or under the page is not missed on the others");
  });
});
