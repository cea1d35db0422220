import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { z } from "zod";
import type { PluginLanguage } from "../sdk/plugin.ts";
import { EditionRules, type Program } from "./edition-rules.ts";
import type { JsonObject } from "./json.ts";
import { Language } from "./language.ts";

const paint: PluginLanguage = {
  name: "paint",
  version: "2.1.0",
  dispensable: true,
  config: z.strictObject({
    colour: z.string(),
    gloss: z.boolean().meta({ since: "2.1" }).default(false),
    layers: z
      .array(z.strictObject({ depth: z.int(), grain: z.string().optional().meta({ since: "2.1" }) }))
      .default([]),
    by_name: z.record(z.string(), z.strictObject({ shade: z.string().meta({ since: "2.0" }).optional() })).default({}),
    finish: z
      .union([
        z.literal("none"),
        z.strictObject({ wax: z.boolean(), seal: z.boolean().meta({ since: "2.1" }).optional() }),
      ])
      .optional(),
  }),
};
const lock: PluginLanguage = {
  name: "lock",
  config: z.strictObject({ key: z.string(), bolts: z.int().meta({ since: "1.4" }).optional() }),
  resources: { lock_smith: z.strictObject({ name: z.string() }) },
};
const language = new Language([paint, lock]);

function readBy(program: Program, spec: JsonObject, kind = "route", id = "r") {
  const { resource, leftOut } = new EditionRules(language, program).read({ kind, id, spec });
  const facts = leftOut.map(({ path, reason, guards }) => [path, guards ? "guards" : "goes", reason]);
  return { spec: resource?.spec, facts };
}

const ALL = { paint: "2.1.0", lock: "" };

describe("what a program does not know of a configuration", () => {
  it("is nothing where it has the same version and the same plugins: then the very resource is its own", () => {
    const rules = new EditionRules(language, { version: "1.4.7", plugins: ALL });
    assert.equal(rules.isWhole, true);
    const resource = { kind: "route", id: "r", spec: { path: "/", lock: { key: "k", bolts: 2 } } };
    assert.equal(rules.read(resource).resource, resource);
  });

  it("is a setting of a plugin that came later, in lists, mappings and alternatives too, and the rest stays", () => {
    const block = {
      colour: "red",
      gloss: true,
      layers: [{ depth: 1, grain: "fine" }, { depth: 2 }],
      by_name: { a: { shade: "s" } },
      finish: { wax: true, seal: true },
    };
    const { spec, facts } = readBy(
      { version: "1.4.0", plugins: { ...ALL, paint: "2.0.9" } },
      { path: "/", paint: block },
    );
    assert.deepEqual(spec, {
      path: "/",
      paint: {
        colour: "red",
        layers: [{ depth: 1 }, { depth: 2 }],
        by_name: { a: { shade: "s" } },
        finish: { wax: true },
      },
    });
    const reason = "it came with the plugin paint 2.1, the node has 2.0.9";
    assert.deepEqual(facts, [
      ["paint.gloss", "goes", reason],
      ["paint.layers[0].grain", "goes", reason],
      ["paint.finish.seal", "goes", reason],
    ]);
  });

  it("is what a plugin is configured for that it lacks, and that may go only where the plugin is dispensable", () => {
    const program = { version: "1.4.0", plugins: { other: "" } };
    const { spec, facts } = readBy(program, { path: "/", paint: { colour: "red" }, lock: { key: "k" } });
    assert.deepEqual(spec, { path: "/" });
    assert.deepEqual(facts, [
      ["paint", "goes", "the node does not have the plugin paint"],
      ["lock", "guards", "the node does not have the plugin lock"],
    ]);
    assert.deepEqual(readBy(program, { key: "k" }, "settings", "lock").facts, [
      ["", "guards", "the node does not have the plugin lock"],
    ]);
    assert.equal(readBy(program, { name: "n" }, "lock_smith").spec, undefined);
  });

  it("is no loss where a plugin is switched off", () => {
    const { spec, facts } = readBy(
      { version: "1.4.0", plugins: { other: "" } },
      { path: "/", lock: { enabled: false } },
    );
    assert.deepEqual([spec, facts[0]?.[1]], [{ path: "/" }, "goes"]);
  });

  it("is a loss in a plugin that guards, whatever the setting is", () => {
    const { facts } = readBy({ version: "1.3.0", plugins: ALL }, { path: "/", lock: { key: "k", bolts: 2 } });
    assert.deepEqual(facts, [["lock.bolts", "guards", "it came with the plugin lock 1.4, the node has 1.3.0"]]);
  });

  it("is not guessed of a program that does not speak of its plugins: what it lacks it will refuse itself", () => {
    const spec = { path: "/", lock: { key: "k" }, paint: { colour: "red" } };
    assert.deepEqual(readBy({ version: "1.4.0", plugins: {} }, spec), { spec, facts: [] });
  });

  it("is nothing of a program whose version is no numbers", () => {
    const spec = { path: "/", lock: { key: "k", bolts: 2 } };
    assert.deepEqual(readBy({ version: "dev", plugins: ALL }, spec), { spec, facts: [] });
  });
});

describe("what guards by itself", () => {
  const guarded = Object.assign(Object.create(language) as Language, {
    specificationOf: () =>
      z.strictObject({
        path: z.string(),
        match: z
          .strictObject({ host: z.string(), sun: z.string().meta({ since: "1.4" }).optional() })
          .meta({ guards: true }),
        comfort: z.string().meta({ since: "1.4" }).optional(),
      }),
  });

  it("is known by its mark, with all that is inside", () => {
    const { leftOut } = new EditionRules(guarded, { version: "1.3.9", plugins: ALL }).read({
      ...{ kind: "route", id: "r" },
      spec: { path: "/", match: { host: "h", sun: "s" }, comfort: "c" },
    });
    assert.deepEqual(
      leftOut.map(({ path, guards }) => [path, guards]),
      [
        ["match.sun", true],
        ["comfort", false],
      ],
    );
  });
});
