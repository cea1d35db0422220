import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Language } from "../../../src/config/language.ts";
import type { Imported } from "../../../src/import/imported-document.ts";
import { importKong } from "../../../src/import/kong/import-kong.ts";
import { readKongFile } from "../../../src/import/kong/kong-file.ts";
import { PLUGINS } from "../../../src/plugins/index.ts";
import { HASHES, ImportedGateway } from "../../support/imported-gateway.ts";

const TEXT = readFileSync(new URL("shop.yaml", import.meta.url), "utf8");

/** Request and what Kong's documentation says that becomes of it: the target and the path that it is asked for, or 404. */
const REQUESTS: readonly (readonly [string, string | RegExp])[] = [
  // strip_path takes the matched prefix off; the path of the service is put before the rest.
  ["GET shop.internal /catalogue/items", "/catalogue:8000/api/items"],
  ["GET shop.internal /catalogue/a/b?page=2", "/catalogue:8000/api/a/b?page=2"],
  // More fields win: paths and headers before paths.
  ["GET shop.internal /catalogue/items x-preview=1", "/catalogue:8000/api/catalogue/items"],
  ["GET shop.internal /catalogue/items x-preview=yes", "/catalogue:8000/api/catalogue/items"],
  ["GET shop.internal /catalogue/items x-preview=2", "/catalogue:8000/api/items"],
  // A regular expression before a prefix, and no further than its end.
  ["GET shop.internal /catalogue/items/7", "/catalogue:8000/api/catalogue/items/7"],
  ["GET shop.internal /catalogue/items/7/reviews", "/catalogue:8000/api/items/7/reviews"],
  // Methods.
  ["GET shop.internal /orders/1 apikey=alices-key", /^\/orders-[12]:9000\/v2\/1$/],
  ["POST shop.internal /orders/1 apikey=bobs-key", /^\/orders-[12]:9000\/v2\/1$/],
  ["POST shop.internal /orders/1", "401"],
  ["PATCH shop.internal /orders/1", /^40[45]$/],
  // Two fields (methods, paths) win over one with a longer path, and each strips its own.
  ["GET shop.internal /orders/archive/1 apikey=alices-key", /^\/orders-[12]:9000\/v2\/archive\/1$/],
  ["PATCH shop.internal /orders/archive/1 apikey=alices-key", /^\/orders-[12]:9000\/v2\/1$/],
  // Hosts: exact before wildcard, and a wildcard stands for any number of labels.
  // Its route is for https alone, and the test comes without TLS.
  ["GET pay.shop.test /pay/1", "307"],
  ["GET other.test /pay/1", "404"],
  ["GET www.legacy.test /x", "/legacy:8080/x"],
  ["GET a.b.legacy.test /x", "/legacy:8080/x"],
  ["GET legacy.test /x", "404"],
  ["GET admin.legacy.test /admin/users", "403"],
  ["GET admin.legacy.test /admin/users x-forwarded-for=10.1.2.3", "/legacy:8080/admin/users"],
  // A route without paths strips nothing; with hosts alone it takes every path.
  ["GET shop.test /anything", "/frontend:3000/anything"],
  ["GET www.shop.test /assets/x.css", "/frontend:3000/assets/x.css"],
  ["GET shop.test /static/x.css", "/frontend:3000/static/x.css"],
  // One field each: the plain host wins over the path.
  ["GET shop.test /catalogue/items", "/frontend:3000/catalogue/items"],
  // Two fields: the host and the path.
  ["GET shop.test /suche/rot", /^\/search-[12]:8000\/rot$/],
  ["GET shop.internal /search?q=rot", /^\/search-[12]:8000\/search\?q=rot$/],
  // Nothing fits.
  ["GET shop.internal /off", "404"],
  ["GET shop.internal /homeless", "404"],
  ["GET shop.internal /", "404"],
];

const language = new Language(PLUGINS);

describe("a shop behind Kong, imported", () => {
  const gateway = new ImportedGateway();
  let imported: Imported;

  before(async () => {
    const result = await importKong(language, TEXT, { hashes: HASHES });
    assert.ok(result.ok, JSON.stringify(result));
    imported = result.value;
    await gateway.run(imported.yaml);
  });
  after(() => gateway[Symbol.asyncDispose]());

  it("routes each request as Kong's documentation says", async () => {
    for (const [question, expected] of REQUESTS) {
      const [method = "", host = "", path = "", header = ""] = question.split(" ");
      const [name, value] = header.split("=");
      const headers = value === undefined ? {} : { [name!]: value };
      const answer = await gateway.ask({ method, host, path, headers });
      if (typeof expected === "string") assert.equal(answer, expected, question);
      else assert.match(answer, expected, question);
    }
  });

  it("has more than fifty entities, none of which is passed over in silence", () => {
    const file = readKongFile(TEXT);
    assert.ok(file.ok);
    const { entities } = file.value;
    assert.ok(entities.length >= 50, `${entities.length} entities`);
    const told = new Set(imported.findings.map(({ subject }) => subject));
    assert.deepEqual(
      entities.map(({ subject }) => subject).filter((subject) => !told.has(subject)),
      [],
    );
  });

  it("is told what has no counterpart, and what is different now", () => {
    const tells = (outcome: string, subject: string, what: RegExp) =>
      assert.ok(
        imported.findings.some(
          (finding) => finding.outcome === outcome && finding.subject === subject && what.test(finding.what),
        ),
        `${outcome} ${subject} ${what}`,
      );
    tells("left out", "route pictures", /regular expression/);
    tells("left out", "route homeless", /no service/);
    tells("left out", "route feed-exact", /whole path/);
    tells("left out", "service chat", /grpc/);
    tells("left out", "service switched-off", /switched off/);
    tells("left out", "upstream unused.upstream", /nothing here/);
    tells("left out", "certificate 0d4a3f5e-8a5b-4a34-9a6a-0c9b6c1d2e3f", /nothing here/);
    tells("left out", "service payments", /tls_verify/);
    tells("approximated", "route payments", /https only/);
    tells("approximated", "route catalogue", /whole segments/);
  });
});

describe("a Kong file that is wrong", () => {
  it("is refused with every problem and its place, and nothing is imported", async () => {
    const wrong = await importKong(
      language,
      `_format_version: "3.0"
services: [{ name: a, host: a, port: many, routes: [{ name: r, paths: /x }] }]
routes: [{ name: lost, service: nobody, paths: [/y] }]
`,
      { hashes: HASHES },
    );
    assert.ok(!wrong.ok);
    assert.deepEqual(wrong.problems.map(({ path }) => path).toSorted(), [
      "routes[0].service",
      "services[0].port",
      "services[0].routes[0].paths",
    ]);
  });

  it("of an older format is refused", async () => {
    const old = await importKong(language, '_format_version: "1.1"\nservices: []\n', { hashes: HASHES });
    assert.ok(!old.ok && old.problems[0]!.path === "_format_version");
  });
});
