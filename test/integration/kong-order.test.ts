import assert from "node:assert/strict";
import { after, describe, it } from "node:test";
import fc from "fast-check";
import { Language } from "../../src/config/language.ts";
import { importKong } from "../../src/import/kong/import-kong.ts";
import { PLUGINS } from "../../src/plugins/index.ts";
import { HASHES, ImportedGateway } from "../support/imported-gateway.ts";
import { type KongRequest, type KongRouteSketch, kongChoices } from "../support/kong-router.ts";

/** Absent fields restrict nothing. */
const route = fc.record(
  {
    hosts: fc.constantFrom(["a.test"], ["*.test"], ["*.a.test", "b.test"], ["b.a.test"]),
    paths: fc.uniqueArray(
      fc.constantFrom("/x", "/x/y", "/x/y/x", "/y", "/", "~/x/[^/]+$", "~/[^/]+/y$", "~/x(/.*)?$"),
      {
        minLength: 1,
        maxLength: 2,
      },
    ),
    methods: fc.constantFrom(["GET"], ["POST"], ["GET", "POST"]),
    headers: fc.constantFrom({ v: ["1"] }, { v: ["1", "2"] }, { v: ["2"], w: ["1"] }),
    regex_priority: fc.constantFrom(0, 5),
    strip_path: fc.constant(false),
  },
  { requiredKeys: ["paths", "strip_path"] },
);
const request = fc.record({
  method: fc.constantFrom("GET", "POST"),
  path: fc.constantFrom("/", "/x", "/x/y", "/x/x", "/x/y/x", "/y", "/y/y", "/y/x/y"),
  host: fc.constantFrom("a.test", "b.a.test", "b.test", "other.org"),
  headers: fc.constantFrom({}, { v: "1" }, { v: "2" }, { v: "2", w: "1" }, { w: "1" }),
});

const language = new Language(PLUGINS);

describe("routes imported from Kong", () => {
  const gateway = new ImportedGateway();
  after(() => gateway[Symbol.asyncDispose]());

  /** Paths are compared but for a slash at their end, which the report of an import speaks of. */
  async function agrees(routes: readonly KongRouteSketch[], requests: readonly KongRequest[]): Promise<void> {
    const services = routes.map((sketch) => ({ name: sketch.name, host: sketch.name, routes: [sketch] }));
    const imported = await importKong(language, JSON.stringify({ _format_version: "3.0", services }), {
      hashes: HASHES,
    });
    assert.ok(imported.ok, JSON.stringify(imported));
    await gateway.run(imported.value.yaml);
    for (const asked of requests) {
      const expected = kongChoices(routes, asked).map(({ name, path }) => withoutSlash(`/${name}:80${path}`));
      const answer = withoutSlash(await gateway.ask(asked));
      if (expected.length === 0) assert.match(answer, /^40[45]$/, JSON.stringify(asked));
      else assert.ok(expected.includes(answer), `${JSON.stringify(asked)}: ${answer}, not ${expected}`);
    }
  }

  it("take the requests that Kong's rules give them, whatever runway's own order would be", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(route, { minLength: 1, maxLength: 6 }),
        fc.array(request, { minLength: 10, maxLength: 20 }),
        (sketches, requests) =>
          agrees(
            sketches.map((sketch, position) => ({ ...sketch, name: `r${position}` })),
            requests,
          ),
      ),
      { numRuns: 300 },
    );
  });

  it("lose the part of the path that Kong strips", async () => {
    const plain = route.map(({ paths, ...rest }) => ({
      ...rest,
      paths: paths.map((path) => (path.startsWith("~") ? "/x/y" : path)),
      strip_path: true,
    }));
    await fc.assert(
      fc.asyncProperty(
        fc.array(plain, { minLength: 1, maxLength: 6 }),
        fc.array(request, { minLength: 10, maxLength: 20 }),
        (sketches, requests) =>
          agrees(
            sketches.map((sketch, position) => ({ ...sketch, name: `r${position}` })),
            requests,
          ),
      ),
      { numRuns: 200 },
    );
  });
});

function withoutSlash(path: string): string {
  return path.replace(/\/$/, "");
}
