import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { EXIT } from "./exit-codes.ts";
import { runInProcess } from "./testing.ts";

const KONG = `_format_version: "3.0"
services: [{ name: shop, url: "http://shop:80", routes: [{ name: shop, paths: [/shop], preserve_host: true }] }]
`;
const OPENAPI = "openapi: 3.1.0\ninfo: { title: pets }\npaths: { /pets: { get: {} } }\n";

describe("runway import", () => {
  let directory: string;
  before(async () => {
    directory = await mkdtemp(join(tmpdir(), "runway-import-"));
    await writeFile(join(directory, "kong.yaml"), KONG);
    await writeFile(join(directory, "pets.yaml"), OPENAPI);
  });
  after(() => rm(directory, { recursive: true }));

  const runway = (...args: readonly string[]) => runInProcess(args, { input: KONG });

  it("writes a configuration that is valid, and what became of everything beside it", async () => {
    const output = join(directory, "runway.yaml");
    const { code, out, err } = await runway("import", "kong", join(directory, "kong.yaml"), "-o", output);
    assert.deepEqual([code, out], [EXIT.ok, ""]);
    assert.match(err, /Mapped: 1 service, 1 route\.[\s\S]*Left out:\n {2}route shop: the setting preserve_host/);
    assert.equal((await stat(output)).mode & 0o777, 0o600);
    assert.match(await readFile(output, "utf8"), /path: \/shop\n/);
    assert.equal((await runway("validate", "-c", output)).code, EXIT.ok);
  });

  it("reads standard input, speaks JSON, and fails with --strict when something is left out", async () => {
    const { code, out } = await runway("import", "kong", "-", "--strict", "--json");
    assert.equal(code, EXIT.failed);
    const { yaml, findings } = JSON.parse(out);
    assert.match(yaml, /http:\/\/shop:80/);
    assert.ok(findings.some(({ outcome }: { outcome: string }) => outcome === "left out"));
  });

  it("closes what a missing plugin protected and fails, until that is accepted", async () => {
    const file = join(directory, "protected.yaml");
    await writeFile(file, KONG.replace("preserve_host: true", "plugins: [{ name: acl, config: { allow: [staff] } }]"));
    const closed = await runway("import", "kong", file);
    assert.equal(closed.code, EXIT.failed);
    assert.match(closed.err, /\nCLOSED, .*\n {2}route shop: plugin acl of route shop: there is no plugin like it/);
    assert.match(closed.out, /ip_filter:\n {6}deny:\n {8}- 0\.0\.0\.0\/0\n {8}- ::\/0\n/);
    const open = await runway("import", "kong", file, "--allow-unprotected");
    assert.equal(open.code, EXIT.ok);
    assert.match(open.err, /\nUNPROTECTED: .*\n {2}route shop: plugin acl/);
    assert.doesNotMatch(open.out, /ip_filter/);
  });

  it("takes routes of an OpenAPI description, and says where they go", async () => {
    const { code, out } = await runway(
      "import",
      "openapi",
      join(directory, "pets.yaml"),
      "--target",
      "http://pets:8080",
    );
    assert.equal(code, EXIT.ok);
    assert.match(out, /url: http:\/\/pets:8080\n[\s\S]*path: \/pets\n/);
    const homeless = await runway("import", "openapi", join(directory, "pets.yaml"));
    assert.equal(homeless.code, EXIT.invalid);
    assert.match(homeless.err, /servers: .*--target URL/);
  });
});
