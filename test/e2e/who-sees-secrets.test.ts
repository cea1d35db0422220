import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { pathToFileURL } from "node:url";
import { z } from "zod";
import { adminOperations } from "../../src/admin/admin-operations.ts";
import type { Operation } from "../../src/admin/operation.ts";
import { controlPlaneViews, SAMPLE_DATA_PLANE, sharedViews } from "../../src/admin/testing.ts";
import { runInProcess } from "../../src/app/testing.ts";
import { Language } from "../../src/config/language.ts";
import { renderDocument } from "../../src/config/render-document.ts";
import { PLUGINS } from "../../src/plugins/index.ts";
import { loadPlugins } from "../../src/sdk/load-plugins.ts";
import { REDACTED, secrecyOf } from "../../src/sdk/secret.ts";
import { distinctive, type Planting, plantCanaries } from "../support/canaries.ts";
import { Cluster, type Member } from "../support/cluster.ts";

const SDK = new URL("../../src/sdk/index.ts", import.meta.url).href;
const ZOD = new URL("../../node_modules/zod/index.js", import.meta.url).href;
/** Not of the house: with a secret of its own, and one in a kind of resource that it owns. */
const EXTENSION = `
import { definePlugin, secret } from "${SDK}";
import { z } from "${ZOD}";
export default definePlugin({
  name: "vault",
  scopes: ["gateway", "route", "upstream", "consumer"],
  config: z.strictObject({ servers: z.array(z.strictObject({ password: secret(z.string()) })).default([]) }),
  resources: { keyring: z.strictObject({ passphrase: secret(z.string()), owner: z.string().default("") }) },
  create: () => ({}),
});
`;

const ROLES = ["viewer", "operator", "administrator"] as const;
type Role = (typeof ROLES)[number];

/** Something that somebody was told. */
interface Told {
  readonly what: string;
  readonly text: string;
}

describe("a secret that is written inline", () => {
  const directory = mkdtempSync(join(tmpdir(), "runway-secrets-"));
  const tokensFile = join(directory, "tokens.yaml");
  const tokens = {} as Record<Role, string>;
  let cluster: Cluster;
  let language: Language;
  let planting: Planting;
  let member: Member;

  before(async () => {
    const extension = join(directory, "vault.ts");
    writeFileSync(extension, EXTENSION);
    language = new Language([...PLUGINS, ...(await loadPlugins([pathToFileURL(extension).href]))]);
    planting = plantCanaries(language);
    cluster = await Cluster.start(`extensions: [${extension}]\nworkers: 1\n`);
    for (const role of ROLES) {
      const create = ["token", "create", role, "--role", role];
      const { out } = await runInProcess([...create, "--admin", await cluster.controlPlane.adminUrl()]);
      tokens[role] = out.trim();
    }
    // The same roles at the data plane, whose tokens are its own.
    for (const role of ROLES)
      await runInProcess(["token", "create", role, "--role", role, "--file", tokensFile]).then(({ out }) => {
        nodeTokens[role] = out.trim();
      });
    const pushed = await cluster.push(renderDocument(planting.resources), "?message=canaries");
    assert.equal(pushed.status, 200, await pushed.text());
    member = await cluster.addDataPlane("dp-1", {
      admin: `tokens_file: ${tokensFile}`,
      listeners: `extensions: [${extension}]\n`,
    });
    await cluster.inSync();
  });
  after(async () => {
    await cluster?.[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true, force: true });
  });
  const nodeTokens = {} as Record<Role, string>;

  async function ask(role: Role, method: string, path: string, body?: unknown, at?: Member): Promise<Told> {
    const authorization = `Bearer ${(at === undefined ? tokens : nodeTokens)[role]}`;
    const response = await (at ?? cluster.controlPlane).admin(path, {
      method,
      headers: { authorization },
      ...(body === undefined ? {} : { body: typeof body === "string" ? body : JSON.stringify(body) }),
    });
    return { what: `${role} ${method} ${path} ${response.status}`, text: await response.text() };
  }

  /** The canaries in what was told; each a place and who was told it. */
  function sightings(told: readonly Told[]): string[] {
    return told.flatMap(({ what, text }) =>
      [...planting.canaries]
        .filter(([, canary]) => text.includes(distinctive(canary)))
        .map(([name]) => `${what}: ${name}`),
    );
  }

  /** Every path that can be read, with what its parameters may be. */
  async function readablePaths(role: "control_plane" | "data_plane"): Promise<string[]> {
    const views =
      role === "control_plane"
        ? { ...sharedViews(), ...controlPlaneViews(), language }
        : { ...sharedViews(), role, node: { status: () => SAMPLE_DATA_PLANE }, language };
    const operations = adminOperations(views).filter((one) => one.method === "GET" && one.roles.includes(role));
    const version = await cluster.version();
    return operations.flatMap((operation) => filled(operation, version));
  }

  function filled({ path }: Operation, version: number): string[] {
    const collection = /^\/api\/v1\/(\w+)\/\{id\}/.exec(path)?.[1] ?? "";
    const kind = language.sections.find(({ key }) => key === collection)?.kind ?? "settings";
    const resources = planting.resources.filter((resource) => resource.kind === kind).map(({ id }) => id);
    const ids = path.startsWith("/api/v1/data-planes/") ? ["dp-1"] : resources;
    const values: Readonly<Record<string, readonly string[]>> = {
      id: ids,
      target: ["http://127.0.0.1:9"],
      version: [String(version)],
      other: [String(version - 1), "0"],
      plugin: language.plugins.filter(({ credentials }) => credentials !== undefined).map(({ name }) => name),
      key: ["first"],
      collection: language.sections.map(({ key }) => key),
    };
    const fill = (paths: readonly string[], name: string): readonly string[] => {
      assert.ok(values[name], `this test does not know what {${name}} of ${path} may be`);
      return paths.flatMap((one) => values[name]!.map((value) => one.replace(`{${name}}`, encodeURIComponent(value))));
    };
    const names = [...path.matchAll(/\{(\w+)\}/g)].map(([, name]) => name!);
    const query = /\/(?:match|explain)$/.test(path) ? "?url=/route-0&header=Authorization:%20x" : "";
    return names.reduce(fill, [path]).map((one) => one + query);
  }

  async function readAll(role: Role): Promise<Told[]> {
    const told: Told[] = [];
    for (const path of await readablePaths("control_plane")) told.push(await ask(role, "GET", path));
    for (const path of await readablePaths("data_plane")) told.push(await ask(role, "GET", path, undefined, member));
    return told;
  }

  it("is marked wherever a setting's name says that it is one", () => {
    const telling = /secret|password|passphrase|private_key|(?:^|_)(?:token|hash)$/;
    const unmarked = [...language.sections.map(({ spec }) => spec), ...Object.values(language.settings)]
      .flatMap((schema) => [...namedStrings(schema)])
      .filter(([name, schema]) => telling.test(name) && secrecyOf(schema) === undefined)
      .map(([name]) => name);
    assert.deepEqual(unmarked, []);
    assert.ok(planting.canaries.has("keyring passphrase"), "extensions have secrets too");
  });

  it("is told to administrators, who have to see what they administer", async () => {
    const config = await ask("administrator", "GET", "/api/v1/config");
    assert.equal(sightings([config]).length, planting.canaries.size);
  });

  for (const role of ["viewer", "operator"] as const)
    it(`is in nothing that a ${role} can read`, async () => {
      const told = await readAll(role);
      assert.deepEqual(sightings(told), []);
      const read = told.filter(({ what }) => / 200$/.test(what));
      assert.ok(read.length > planting.resources.length, "much was read");
      assert.ok(read.filter(({ text }) => text.includes(REDACTED)).length > 10, "secrets were there, and redacted");
    });

  it("is not in the audit log and not in the metrics, whoever reads them", async () => {
    const told = [];
    for (const path of ["/api/v1/audit?size=1000", "/api/v1/audit/verification", "/metrics", "/reload/status"])
      told.push(await ask("administrator", "GET", path), await ask("administrator", "GET", path, undefined, member));
    assert.deepEqual(sightings(told), []);
  });

  it("is in no answer to a change that an operator makes, tries or fails to make", async () => {
    const told: Told[] = [];
    const before = await cluster.version();
    for (const { kind, id, spec } of planting.resources) {
      const collection = language.sectionOf(kind)?.key ?? (language.isPlugin(id) ? "plugins" : "settings");
      const path = `/api/v1/${collection}/${id}`;
      for (const query of ["?dry_run=true", ""]) {
        told.push(await ask("operator", "PATCH", path + query, { tags: ["changed"] }));
        told.push(await ask("operator", "PUT", path + query, spec));
      }
      told.push(await ask("operator", "POST", "/api/v1/changes?dry_run=true", { upserts: [{ kind, id, spec }] }));
      told.push(await ask("operator", "POST", `/api/v1/schemas/${collection}/validate`, { ...spec, id, nonsense: 1 }));
      told.push(await ask("operator", "PUT", path, { ...spec, nonsense: 1 }));
      told.push(await ask("operator", "DELETE", `${path}?dry_run=true`));
    }
    for (const { id, spec } of planting.resources.filter(({ kind }) => kind === "consumer"))
      for (const plugin of Object.keys(spec).filter((name) => language.hasCredentials(name))) {
        const path = `/api/v1/consumers/${id}/credentials/${plugin}`;
        told.push(await ask("operator", "PUT", path, spec[plugin]), await ask("operator", "PATCH", path, {}));
        const hash = planting.canaries.get("consumer api_key.keys[].hash");
        told.push(await ask("operator", "POST", `${path}/keys`, { name: "second", hash: hash?.replace(/0$/, "1") }));
        told.push(await ask("operator", "GET", `${path}/keys/second`), await ask("operator", "DELETE", path));
      }
    told.push(await ask("operator", "POST", "/api/v1/rollback?dry_run=true", { version: 1 }));
    told.push(await ask("operator", "POST", "/api/v1/rollback", { version: 1 }));
    told.push(await ask("operator", "POST", "/api/v1/rollback", { version: before }));
    told.push(await ask("operator", "POST", "/reload"));
    assert.deepEqual(sightings(told), []);
    assert.ok((await cluster.version()) > before, "changes were made");
  });

  it("is in no message about a configuration that is wrong", async () => {
    const told: Told[] = [];
    for (const { kind, id, spec } of planting.resources) {
      const wrong = misshapen(spec);
      told.push(await ask("operator", "POST", "/api/v1/changes", { upserts: [{ kind, id, spec: wrong }] }));
      told.push(await ask("operator", "POST", "/api/v1/config", renderDocument([{ kind, id, spec: wrong }])));
    }
    for (const [, canary] of planting.canaries) {
      for (const beginning of ["*", "!", "%", "@", "&", '"\\q', "{", "'"])
        told.push(await ask("operator", "POST", "/api/v1/config", `jwt: { secret: ${beginning}${canary} }\n`));
      for (const text of [`{"secret": ${canary}}`, `{"secret": "${canary}" x}`, `{"secret": "${canary}`])
        told.push(await ask("operator", "POST", "/api/v1/changes", text));
    }
    told.push(...(await readAll("viewer")));
    assert.deepEqual(sightings(told), []);
    assert.ok(told.filter(({ what }) => / 4\d\d$/.test(what)).length > planting.resources.length);
  });

  it("is in nothing that the command line prints for an operator", async () => {
    const admin = ["--admin", await cluster.controlPlane.adminUrl()];
    const env = { RUNWAY_TOKEN: tokens.operator };
    const head = String(await cluster.version());
    const told: Told[] = [];
    const commands = [["export"], ["history"], ["show", head], ["diff", head, "0"], ["nodes"], ["status"], ["routes"]];
    for (const command of [...commands, ["rollback", "1", "--dry-run"], ["audit"]])
      for (const form of [[], ["--json"]]) {
        const { out, err } = await runInProcess([...command, ...admin, ...form], { env });
        told.push({ what: command.join(" "), text: out + err });
      }
    assert.deepEqual(sightings(told), []);
    assert.match(told[0]!.text, /\(redacted\)/);
  });

  it("is in no log", () => {
    const processes = [cluster.controlPlane.process, member.process];
    const text = processes.map(({ lines, stderr }) => JSON.stringify(lines) + stderr).join("");
    assert.deepEqual(sightings([{ what: "log", text }]), []);
  });

  it("cannot be overwritten by its marker: that is refused, with the path, and changes nothing", async () => {
    const before = await cluster.version();
    const shown = JSON.parse((await ask("operator", "GET", "/api/v1/consumers?size=1000")).text).data;
    const consumer = shown.find((one: { api_key?: unknown }) => one.api_key !== undefined);
    const put = await ask("operator", "PUT", `/api/v1/consumers/${consumer.id}`, consumer);
    assert.match(put.what, / 400$/);
    const { path, message, id } = JSON.parse(put.text).problems.at(-1);
    assert.deepEqual([path, id], ["api_key.keys[0].hash", consumer.id]);
    assert.match(message, /was redacted when it was shown/);

    const yaml = (await ask("operator", "GET", "/api/v1/config")).text;
    const pushed = await ask("operator", "POST", "/api/v1/config", yaml);
    assert.match(pushed.what, / 400$/);
    const redacted = JSON.parse(pushed.text).problems.filter((one: { message: string }) =>
      /redacted/.test(one.message),
    );
    assert.equal(redacted.length, planting.canaries.size, "every place is named");
    assert.equal(await cluster.version(), before);
  });

  it("stays where it is when an operator changes something beside it", async () => {
    await ask("operator", "PATCH", "/api/v1/plugins/jwt", { leeway: "10s" });
    const { secret } = JSON.parse((await ask("administrator", "GET", "/api/v1/plugins/jwt")).text);
    assert.equal(secret, planting.canaries.get("settings jwt.secret"));
  });

  it("is shown to everybody when it is a reference", async () => {
    await ask("operator", "PATCH", "/api/v1/plugins/vault", { servers: [{ password: "${env:PATH}" }] });
    assert.match((await ask("viewer", "GET", "/api/v1/config")).text, /password: \$?\$\{env:PATH\}/);
  });
});

/** Strings by their key, wherever they are below a schema. */
function* namedStrings(schema: z.ZodType, name = ""): Generator<[string, z.ZodType]> {
  if (secrecyOf(schema) !== undefined || schema instanceof z.ZodString) yield [name, schema];
  else if (schema instanceof z.ZodObject)
    for (const [key, child] of Object.entries<z.ZodType>(schema.shape)) yield* namedStrings(child, key);
  else if (schema instanceof z.ZodArray) yield* namedStrings(schema.element as z.ZodType, name);
  else if (schema instanceof z.ZodRecord) yield* namedStrings(schema.valueType as z.ZodType, name);
  else if (schema instanceof z.ZodUnion)
    for (const option of schema.options) yield* namedStrings(option as z.ZodType, name);
  else if (schema instanceof z.ZodPipe) yield* namedStrings(schema.in as z.ZodType, name);
  else if ("innerType" in schema.def) yield* namedStrings(schema.def.innerType as z.ZodType, name);
}

/** Each text that has a canary with something that no schema of a secret takes: so that a message speaks about it. */
function misshapen<Value>(value: Value): Value {
  if (typeof value === "string") return (/[0-9a-f]{22}/.test(value) ? [value] : value) as Value;
  if (Array.isArray(value)) return value.map(misshapen) as Value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, misshapen(child)])) as Value;
}
