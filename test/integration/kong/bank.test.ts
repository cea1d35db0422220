import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { Language } from "../../../src/config/language.ts";
import type { Imported } from "../../../src/import/imported-document.ts";
import { importKong } from "../../../src/import/kong/import-kong.ts";
import { readKongFile } from "../../../src/import/kong/kong-file.ts";
import { PLUGINS } from "../../../src/plugins/index.ts";
import { HASHES, ImportedGateway, type Reply } from "../../support/imported-gateway.ts";

const TEXT = readFileSync(new URL("bank.yaml", import.meta.url), "utf8");
const language = new Language(PLUGINS);

async function importBank(allowUnprotected: boolean): Promise<Imported> {
  const result = await importKong(language, TEXT, { hashes: HASHES, allowUnprotected });
  assert.ok(result.ok, JSON.stringify(result));
  return result.value;
}

type Headers = Readonly<Record<string, string>>;

function asking(gateway: ImportedGateway) {
  return (question: string, headers: Headers = {}): Promise<Reply> => {
    const [method = "", path = ""] = question.split(" ");
    return gateway.reply({ method, path, host: "bank.test", headers });
  };
}

const ANNA = { "x-bank-key": "annas-key" };
const BEN = { "x-bank-key": "bens-key" };

function password(pair: string): Headers {
  return { authorization: `Basic ${btoa(pair)}` };
}

describe("a bank behind Kong, imported", () => {
  const gateway = new ImportedGateway();
  const ask = asking(gateway);
  let bank: Imported;

  before(async () => {
    bank = await importBank(false);
    await gateway.run(bank.yaml);
  });
  after(() => gateway[Symbol.asyncDispose]());

  /** Statuses, or the paths that targets are asked for. */
  async function expect(...answers: readonly (readonly [string, Headers, string | number])[]): Promise<void> {
    for (const [question, headers, expected] of answers) {
      const { status, asked } = await ask(question, headers);
      assert.equal(
        typeof expected === "number" ? status : asked?.path,
        expected,
        `${question} ${Object.keys(headers)}`,
      );
    }
  }

  it("asks for keys where Kong does, under the name that Kong looks for", () =>
    expect(
      ["GET /accounts/1", {}, 401],
      ["GET /accounts/1", { apikey: "annas-key" }, 401],
      ["GET /accounts/1", { "x-bank-key": "nobodys" }, 401],
      ["GET /accounts/1", { "x-bank-key": "annas-old-key" }, 401],
      ["GET /accounts/1", ANNA, "/accounts:8000/1"],
      ["GET /accounts/1?x-bank-key=annas-key", {}, "/accounts:8000/1"],
    ));

  it("asks for passwords where Kong does", () =>
    expect(
      ["GET /transfers/1", {}, 401],
      ["GET /transfers/1", ANNA, 401],
      ["GET /transfers/1", password("anna:wrong"), 401],
      ["GET /transfers/1", password("anna:annas-password"), "/transfers:8000/1"],
      ["GET /transfers/1", password("carl:carls-password"), "/transfers:8000/1"],
    ));

  it("verifies tokens with the key of the consumer that they name", async () => {
    const secret = "a-secret-of-carls-that-is-long-enough";
    const soon = Math.floor(Date.now() / 1_000) + 60;
    const token = (claims: object, key = secret, alg = "HS256") => {
      const text = [{ alg, typ: "JWT" }, claims].map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"));
      const signature = createHmac("sha256", key).update(text.join(".")).digest("base64url");
      return { authorization: `Bearer ${[...text, signature].join(".")}` };
    };
    await expect(
      ["GET /letters/1", {}, 401],
      ["GET /letters/1", token({ kid: "carls-tokens", exp: soon }), "/letters:8000/1"],
      ["GET /letters/1", token({ kid: "carls-tokens" }), 401],
      ["GET /letters/1", token({ kid: "carls-tokens", exp: soon - 120 }), 401],
      ["GET /letters/1", token({ kid: "carls-tokens", exp: soon }, "another-secret-that-is-long-enough"), 401],
      ["GET /letters/1", token({ kid: "carls-tokens", exp: soon }, secret, "none"), 401],
      // Anna's secret is too short to be taken.
      ["GET /letters/1", token({ kid: "annas-tokens", exp: soon }, "too-short"), 401],
    );
    const hisToken = token({ kid: "carls-tokens", exp: soon });
    const known = await ask("GET /letters/1", hisToken);
    assert.equal(known.asked?.headers["x-consumer-username"], "carl");
    assert.equal(known.asked?.headers.authorization, hisToken.authorization);
  });

  it("keeps from upstreams the credentials that Kong keeps from them, and no others", async () => {
    const carl = password("carl:carls-password");
    assert.equal((await ask("GET /transfers/1", carl)).asked?.headers.authorization, undefined);
    assert.equal((await ask("GET /either/1", carl)).asked?.headers.authorization, carl.authorization);
    assert.equal((await ask("GET /either/1", { apikey: "annas-key" })).asked?.headers.apikey, "annas-key");
  });

  it("lets either do where nothing answers who shows neither, and nobody where Kong asks for both", () =>
    expect(
      ["GET /either/1", {}, 401],
      ["GET /either/1", { apikey: "annas-key" }, "/transfers:8000/1"],
      ["GET /either/1", password("carl:carls-password"), "/transfers:8000/1"],
      ["GET /both/1", { apikey: "annas-key", ...password("anna:annas-password") }, 403],
    ));

  it("answers whom nobody knows where Kong takes them for a visitor", () =>
    expect(
      ["GET /rates/1", {}, "/rates:8000/1"],
      ["GET /rates/1", { apikey: "annas-key" }, "/rates:8000/1"],
      ["GET /signed/or-not/1", {}, "/signed:8000/1"],
    ));

  it("keeps out a consumer whom Kong answers nothing, and one whose own plugin is missing", () =>
    expect(
      ["GET /accounts/1", { "x-bank-key": "banned-key" }, 401],
      ["GET /accounts/1", { "x-bank-key": "watched-key" }, 401],
    ));

  it("closes routes whose access was controlled by what is missing, with all that lies below them", () =>
    expect(
      ["GET /vault/1", ANNA, 403],
      ["GET /vault/log/1", ANNA, 403],
      ["GET /signed/1", {}, 403],
      ["GET /branches/house/1", { "x-forwarded-for": "10.1.1.1" }, 403],
    ));

  it("lets addresses in as Kong does, and answers itself where Kong does", () =>
    expect(
      ["GET /branches/1", { "x-forwarded-for": "10.1.1.1" }, "/branches:8000/1"],
      ["GET /branches/1", { "x-forwarded-for": "10.9.1.1" }, 403],
      ["GET /branches/1", { "x-forwarded-for": "192.0.2.1" }, 403],
      ["GET /branches/opening/1", {}, "/branches:8000/1"],
      ["GET /branches/closing/1", { "x-forwarded-for": "192.0.2.1" }, 410],
    ));

  it("tells upstreams who asks, and never what a client claims about itself", async () => {
    const forged = { "X-Consumer-Username": "root", "X-Consumer-ID": "0", "X-Anonymous-Consumer": "false" };
    const known = await ask("GET /either/1", { ...forged, apikey: "annas-key" });
    assert.equal(known.asked?.headers["x-consumer-username"], "anna");
    for (const path of ["/rates/1", "/signed/or-not/1"]) {
      const unknown = await ask(`GET ${path}`, forged);
      assert.equal(unknown.asked?.headers["x-consumer-username"], "", path);
      assert.equal(unknown.asked?.headers["x-consumer-id"], undefined, path);
    }
  });

  it("changes headers, and names requests, as Kong does", async () => {
    const rates = await ask("GET /rates/1", { "x-debug": "1" });
    assert.deepEqual([rates.asked?.headers["x-debug"], rates.asked?.headers["x-channel"]], [undefined, "web"]);
    assert.match(String(rates.headers["x-bank-id"]), /^[0-9a-f-]{36}$/);
    assert.equal(rates.asked?.headers["x-bank-id"], rates.headers["x-bank-id"]);
    const statement = await ask("GET /accounts/statements/1", { ...ANNA, "x-forwarded-for": "192.0.2.9" });
    assert.equal(statement.headers["x-served-by"], "bank");
  });

  it("answers browsers of its own pages, and bounds bodies", async () => {
    const preflight = { origin: "https://bank.test", "access-control-request-method": "GET" };
    const { status, headers } = await ask("OPTIONS /rates/1", preflight);
    assert.deepEqual([status, headers["access-control-allow-origin"]], [204, "https://bank.test"]);
    const other = await ask("OPTIONS /rates/1", { ...preflight, origin: "https://other.test" });
    assert.equal(other.headers["access-control-allow-origin"], undefined);
    const large = await ask("POST /transfers/1", { ...password("anna:annas-password"), "content-length": "2049" });
    assert.equal(large.status, 413);
  });

  it("counts requests by consumer or address, the nearest limit alone", async () => {
    const statuses = async (path: string, headers: Headers, count: number) => {
      const replies = [];
      for (let sent = 0; sent < count; sent += 1) replies.push((await ask(`GET ${path}`, headers)).status);
      return replies;
    };
    const from = { "x-forwarded-for": "192.0.2.33" };
    assert.deepEqual(await statuses("/accounts/statements/1", { ...ANNA, ...from }, 3), [200, 200, 429]);
    // Ben's own limit goes before that of the service.
    assert.deepEqual(await statuses("/accounts/1", BEN, 2), [200, 429]);
    const anna = await statuses("/accounts/1", ANNA, 5);
    assert.equal(anna.at(-1), 429);
  });

  it("has more than fifty entities, none of which is passed over in silence", () => {
    const file = readKongFile(TEXT);
    assert.ok(file.ok);
    const { entities } = file.value;
    assert.ok(entities.length >= 50, `${entities.length} entities`);
    const told = new Set(bank.findings.map(({ subject }) => subject));
    assert.deepEqual(
      entities.map(({ subject }) => subject).filter((subject) => !told.has(subject)),
      [],
    );
  });

  it("names everything that is closed, and writes no key and no password but the secret of tokens, of which it is said", () => {
    const closed = bank.findings.filter(({ outcome }) => outcome === "closed").map(({ subject }) => subject);
    assert.deepEqual(
      new Set(closed),
      new Set([
        "route vault",
        "route vault-log",
        "route signed",
        "route house-plugin",
        "route transfers-by-both",
        "consumer watched",
      ]),
    );
    const findings = JSON.stringify(bank.findings);
    assert.doesNotMatch(bank.yaml, /annas-key|annas-password|carls-password|too-short/);
    assert.doesNotMatch(findings, /annas-key|annas-password|carls-password|too-short|a-secret-of-carls/);
    assert.match(findings, /secret stands in the configuration/);
  });
});

describe("a bank behind Kong, imported by somebody who accepts what is missing", () => {
  it("is open where it would be closed, which is said of each", async () => {
    await using gateway = new ImportedGateway();
    const bank = await importBank(true);
    await gateway.run(bank.yaml);
    const ask = asking(gateway);
    assert.equal((await ask("GET /vault/1")).asked?.path, "/vault:8000/1");
    assert.equal((await ask("GET /both/1")).status, 401);
    assert.equal((await ask("GET /both/1", { apikey: "annas-key" })).status, 200);
    assert.ok(!bank.findings.some(({ outcome }) => outcome === "closed"));
    const open = bank.findings.filter(({ outcome }) => outcome === "unprotected").map(({ subject }) => subject);
    assert.ok(open.includes("route vault") && open.includes("consumer watched"));
  });
});

describe("a copy of Kong's database", () => {
  it("has hashes of passwords, which nobody can log in with here", async () => {
    const text = `_format_version: "3.0"
_transform: false
services: [{ name: a, host: a, routes: [{ name: a, paths: [/a] }], plugins: [{ name: basic-auth }] }]
consumers: [{ username: anna, basicauth_credentials: [{ username: anna, password: 5baa61e4c9b93f3f0682250b6cf8331b }] }]
`;
    const result = await importKong(language, text, { hashes: HASHES });
    assert.ok(result.ok);
    assert.ok(result.value.findings.some(({ outcome, what }) => outcome === "left out" && /its hash/.test(what)));
    await using gateway = new ImportedGateway();
    await gateway.run(result.value.yaml);
    assert.equal((await asking(gateway)("GET /a", password("anna:5baa61e4c9b93f3f0682250b6cf8331b"))).status, 401);
  });
});
