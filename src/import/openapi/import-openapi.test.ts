import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { plainLanguage } from "../../config/testing/plain-language.ts";
import { readYaml } from "../../config/yaml.ts";
import { importOpenApi } from "./import-openapi.ts";

const PETS = `
openapi: 3.1.0
info: { title: Pet Shop, version: "1" }
servers:
  - url: https://{stage}.example.com/v1
    variables: { stage: { default: live } }
security: [{ key: [] }]
paths:
  /pets:
    parameters: []
    get: {}
    post: { security: [] }
  /pets/{pet-id}:
    delete: {}
  /pets/{id}.json:
    get: {}
  /orders:
    servers: [{ url: "http://orders:9000" }]
    get: {}
  /elsewhere:
    $ref: other.yaml
`;

function imported(text: string, options = {}) {
  const result = importOpenApi(plainLanguage, text, options);
  assert.ok(result.ok, JSON.stringify(result));
  const document = readYaml(result.value.yaml);
  assert.ok(document.ok);
  const leftOut = result.value.findings.filter(({ outcome }) => outcome === "left out");
  return { document: document.value, leftOut: leftOut.map(({ subject }) => subject) };
}

describe("an OpenAPI description", () => {
  it("becomes a route for each path, with its methods, below the path of the server", () => {
    const { document } = imported(PETS);
    assert.deepEqual(document.upstreams, {
      "Pet-Shop": { backends: [{ url: "https://live.example.com" }] },
      "Pet-Shop-2": { backends: [{ url: "http://orders:9000" }] },
    });
    assert.deepEqual(document.routes, [
      { id: "orders", path: "/orders", methods: ["GET"], upstream: "Pet-Shop-2" },
      { id: "v1-pets", path: "/v1/pets", methods: ["GET", "POST"], upstream: "Pet-Shop" },
      { id: "v1-pets-pet_id", path: "/v1/pets/{pet_id}", methods: ["DELETE"], upstream: "Pet-Shop" },
    ]);
  });

  it("goes where --target says, under the server's path", () => {
    const { document } = imported(PETS.replace("https://{stage}.example.com/v1", "/v2"), {
      target: "http://pets:8080",
    });
    assert.deepEqual(document.upstreams, { "Pet-Shop": { backends: [{ url: "http://pets:8080" }] } });
    assert.equal((document.routes as { path: string }[])[1]!.path, "/v2/pets");
  });

  it("is told what of it has no counterpart", () => {
    const subjects = ["path /pets", "path /elsewhere", "the security block", "route v1-pets-id.json"];
    assert.deepEqual(imported(PETS).leftOut, subjects);
  });

  it("is refused when it is none, or says nowhere where requests go", () => {
    const old = importOpenApi(plainLanguage, "swagger: '2.0'\npaths: {}\n");
    assert.ok(!old.ok && old.problems[0]!.path === "openapi");
    const homeless = importOpenApi(plainLanguage, "openapi: 3.0.0\npaths: { /a: { get: {} } }\n");
    assert.ok(!homeless.ok && /--target/.test(homeless.problems[0]!.message));
  });
});
