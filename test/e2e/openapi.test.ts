import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { Validator } from "@seriousme/openapi-schema-validator";
import { adminOperations } from "../../src/admin/admin-operations.ts";
import type { Operation } from "../../src/admin/operation.ts";
import { controlPlaneViews, SAMPLE_DATA_PLANE, SampleDesk, sharedViews } from "../../src/admin/testing.ts";
import { houseLanguage } from "../../src/app/commands/house-language.ts";
import { runInProcess } from "../../src/app/testing.ts";
import { BROWSER, Browser } from "../support/browser.ts";
import { Cluster, type Member } from "../support/cluster.ts";
import { DescribedApi } from "../support/described-api.ts";
import { missing } from "../support/installed.ts";

const ROLES = ["standalone", "control_plane", "data_plane"] as const;

describe("the OpenAPI document of the admin API", () => {
  let cluster: Cluster;
  let members: readonly Member[];
  before(async () => {
    cluster = await Cluster.start("upstreams: { shop: { backends: [{ url: 'http://shop:80' }] } }\nworkers: 1\n", 1);
    members = [cluster.controlPlane, ...cluster.dataPlanes];
  });
  after(() => cluster?.[Symbol.asyncDispose]());

  it("is valid by the schema of OpenAPI 3.1, in every role", async () => {
    for (const role of ROLES) {
      const answer = await (await operationsOf(role)).find(({ path }) => path === "/openapi.json")!.handle({} as never);
      const document = JSON.parse(JSON.stringify((answer as { json: object }).json)) as object;
      const result = await new Validator().validate(document as Record<string, unknown>);
      assert.deepEqual([role, result.errors], [role, undefined]);
      assert.match((document as { openapi: string }).openapi, /^3\.1\./);
    }
  });

  it("has every operation that the server answers, and no other", async () => {
    for (const member of members) {
      const api = await DescribedApi.of(await member.adminUrl());
      for (const path of Object.keys(api.document.paths)) {
        // What the server says for itself of a path (RFC 9110 §15.5.6).
        const refused = await member.admin(path.replaceAll(/\{\w+\}/g, "x"), { method: "OPTIONS" });
        const allowed = refused.headers.get("allow")?.split(", ") ?? [];
        const described = Object.keys(api.document.paths[path]!).map((method) => method.toUpperCase());
        assert.deepEqual(
          allowed.filter((method) => method !== "HEAD").toSorted(),
          described.toSorted(),
          `${member.name} ${path}`,
        );
      }
      const role = member === cluster.controlPlane ? "control_plane" : "data_plane";
      const known = await operationsOf(role);
      assert.deepEqual(
        api
          .operations()
          .map(([name]) => name)
          .toSorted(),
        known.map(({ method, path }) => `${method} ${path}`).toSorted(),
      );
    }
  });

  it("says of each who may use it, and the server keeps to it", async () => {
    const admin = await cluster.controlPlane.adminUrl();
    const api = await DescribedApi.of(admin);
    const { out } = await runInProcess(["token", "create", "looking", "--role", "viewer", "--admin", admin]);
    const headers = { authorization: `Bearer ${out.trim()}` };
    for (const [name, { "x-access": access, responses }] of api.operations()) {
      const [method = "", path = ""] = name.split(" ");
      const { status } = await cluster.controlPlane.admin(withValues(path), { method, headers });
      assert.equal(status === 403, access === "operator" || access === "administrator", `${name} ${status}`);
      assert.equal("401" in responses, access !== "everybody", name);
    }
  });

  it("has a name for each operation, and words for each parameter", async () => {
    const api = await DescribedApi.of(await cluster.controlPlane.adminUrl());
    const names = api.operations().map(([, { operationId }]) => operationId);
    assert.equal(new Set(names).size, names.length);
    for (const [name, { summary, parameters = [] }] of api.operations()) {
      assert.match(summary, /\.$/, name);
      for (const { in: place, name: parameter, description } of parameters)
        if (place !== "path") assert.ok(description, `${name}: ${parameter}`);
    }
  });

  it("has examples that it describes itself and that the server takes", async () => {
    const { controlPlane } = cluster;
    const api = await DescribedApi.of(await controlPlane.adminUrl());
    const tried: string[] = [];
    for (const [name, operation] of api.operations()) {
      const json = (operation.requestBody?.content as Record<string, { example?: unknown }> | undefined)?.[
        "application/json"
      ];
      if (json?.example === undefined) continue;
      assert.ok(api.takes(operation, json.example), name);
      tried.push(name);
    }
    assert.ok(tried.includes("POST /api/v1/routes") && tried.includes("POST /api/v1/changes"), tried.join());
    for (const collection of ["upstreams", "routes", "listeners", "consumers"]) {
      const content = api.document.paths[`/api/v1/${collection}`]!.post!.requestBody!.content;
      const { example } = (content as Record<string, { example: object }>)["application/json"]!;
      const body = collection === "listeners" ? { ...example, address: "127.0.0.1:0" } : example;
      const answer = await controlPlane.admin(`/api/v1/${collection}`, { method: "POST", body: JSON.stringify(body) });
      assert.equal(answer.status, 201, await answer.text());
    }
  });

  it("describes what nodes answer to whatever they can be asked", async () => {
    for (const member of members) {
      const api = await DescribedApi.of(await member.adminUrl());
      const readable = Object.keys(api.document.paths).filter((path) => "get" in api.document.paths[path]!);
      for (const template of readable) {
        const path = withValues(template) + (/\/(?:match|explain)$/.test(template) ? "?url=/orders" : "");
        const answer = await member.admin(path);
        api.requireDescribed({
          ...{ method: "GET", path, status: answer.status },
          ...{ contentType: answer.headers.get("content-type"), text: await answer.text() },
        });
        assert.ok([200, 404, 503].includes(answer.status), `${path} ${answer.status}`);
      }
    }
  });

  it("is a page that a browser shows without a script, and without asking anybody else", {
    skip: missing(BROWSER),
  }, async () => {
    await using browser = await Browser.start();
    const url = await cluster.controlPlane.adminUrl();
    await browser.open(`${url}/docs`);
    assert.equal(await browser.evaluate("document.title"), "Runway admin API");
    const shown = Number(
      await browser.evaluate("document.querySelectorAll('section details > summary b.method').length"),
    );
    assert.equal(shown, (await DescribedApi.of(url)).operations().length);
    assert.equal(await browser.evaluate("getComputedStyle(document.body).fontSize"), "15px");
    const asked = await browser.evaluate("performance.getEntriesByType('resource').map(({ name }) => name)");
    assert.deepEqual(asked, []);
    const broken = await browser.evaluate(
      "[...document.querySelectorAll('a[href^=\"#\"]')].filter((a) => !document.getElementById(a.hash.slice(1))).map((a) => a.hash)",
    );
    assert.deepEqual(broken, []);
    // What the policy is for: a script that got into the page would not run.
    await browser.evaluate(
      "(() => { const script = document.createElement('script'); script.textContent = 'document.title = 1'; document.body.append(script); })()",
    );
    assert.equal(await browser.evaluate("document.title"), "Runway admin API");
    const { headers } = await cluster.controlPlane.admin("/docs");
    assert.match(headers.get("content-security-policy") ?? "", /^default-src 'none'; style-src 'sha256-/);
  });
});

async function operationsOf(role: (typeof ROLES)[number]): Promise<readonly Operation[]> {
  const views = { ...sharedViews(), language: await houseLanguage() };
  if (role === "control_plane") return adminOperations({ ...views, ...controlPlaneViews() });
  if (role === "data_plane") return adminOperations({ ...views, role, node: { status: () => SAMPLE_DATA_PLANE } });
  return adminOperations({ ...views, role, reload: new SampleDesk() });
}

function withValues(path: string): string {
  const id = path.startsWith("/api/v1/data-planes") ? "dp-1" : path.startsWith("/api/v1/upstreams") ? "shop" : "orders";
  return path
    .replace("{id}", id)
    .replace("{target}", encodeURIComponent("http://shop:80"))
    .replace("{plugin}", "api_key")
    .replace("{version}", "1")
    .replace("{other}", "0")
    .replace("{collection}", "routes")
    .replaceAll(/\{\w+\}/g, "x");
}
