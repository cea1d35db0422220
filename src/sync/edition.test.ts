import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { deltaBetween } from "../config/delta.ts";
import { EditionRules } from "../config/edition-rules.ts";
import { Language } from "../config/language.ts";
import type { Resource } from "../config/resource.ts";
import { createSnapshot, type Snapshot } from "../config/snapshot.ts";
import { stateHash } from "../config/state-hash.ts";
import { Edition } from "./edition.ts";
import { Editions } from "./editions.ts";
import { helloOf } from "./testing/messages.ts";

type PluginLanguage = ConstructorParameters<typeof Language>[0][number];

const paint: PluginLanguage = {
  name: "paint",
  dispensable: true,
  config: z.strictObject({ colour: z.string(), gloss: z.boolean().meta({ since: "1.4" }).optional() }),
  resources: { pot: z.strictObject({ litres: z.int() }) },
};
const lock: PluginLanguage = { name: "lock", config: z.strictObject({ key: z.string() }) };
const language = new Language([paint, lock]);
const rulesFor = (version: string, ...plugins: string[]) =>
  new EditionRules(language, { version, plugins: Object.fromEntries(plugins.map((name) => [name, ""])) });

const resource: fc.Arbitrary<Resource> = fc.oneof(
  fc.record({
    kind: fc.constant("route"),
    id: fc.constantFrom("a", "b", "c"),
    spec: fc.record(
      {
        path: fc.constantFrom("/1", "/2"),
        paint: fc.record({ colour: fc.constantFrom("red", "blue"), gloss: fc.boolean() }, { requiredKeys: ["colour"] }),
        lock: fc.constant({ key: "k" }),
      },
      { requiredKeys: ["path"] },
    ),
  }),
  fc.record({ kind: fc.constant("pot"), id: fc.constantFrom("p", "q"), spec: fc.record({ litres: fc.nat(3) }) }),
  fc.record({ kind: fc.constant("settings"), id: fc.constant("lock"), spec: fc.constant({ key: "k" }) }),
);
const states = fc.array(fc.uniqueArray(resource, { selector: ({ kind, id }) => `${kind}:${id}`, maxLength: 5 }), {
  minLength: 2,
  maxLength: 6,
});

function publish(edition: { publish: Edition["publish"] }, snapshot: Snapshot, before?: Snapshot): void {
  const change = before && { fromVersion: before.version, delta: deltaBetween(before.resources, snapshot.resources) };
  edition.publish({ snapshot, source: "file", timestampMs: 0, originalYaml: () => "", change });
}

function snapshotsOf(all: readonly (readonly Resource[])[]): Snapshot[] {
  return all.map((resources, index) => createSnapshot({ epoch: "e", version: index + 1, resources }));
}

describe("an edition", () => {
  it("comes out the same change by change as from the whole, with what it leaves out, and its changes lead from one to the next", () => {
    fc.assert(
      fc.property(states, fc.constantFrom("1.3.0", "1.4.0"), fc.boolean(), (all, version, hasLock) => {
        const rules = () => rulesFor(version, "other", ...(hasLock ? ["lock"] : ["paint"]));
        const stepwise = new Edition(rules(), "leaves out");
        let before: Snapshot | undefined;
        for (const snapshot of snapshotsOf(all)) {
          const base = stepwise.newest?.stamp;
          const held = heldOf(rules(), before);
          publish(stepwise, snapshot, before);
          const whole = new Edition(rules(), "leaves out");
          publish(whole, snapshot);
          const [one, other] = [stepwise.newest!, whole.newest!];
          assert.deepEqual(one.stamp, other.stamp);
          assert.deepEqual(
            new Set(one.leftOut.map((left) => JSON.stringify(left))),
            new Set(other.leftOut.map((left) => JSON.stringify(left))),
          );
          assert.equal(one.obstacle === "", !one.leftOut.some(({ guards }) => guards));
          const known = heldOf(rules(), snapshot);
          assert.equal(one.stamp.hash, stateHash(known));
          if (base !== undefined) {
            const { upserts, removals } = one.since(base)!;
            const after = new Map(held.map((item) => [`${item.kind}:${item.id}`, item]));
            for (const { kind, id } of removals) after.delete(`${kind}:${id}`);
            for (const item of upserts) after.set(`${item.kind}:${item.id}`, item);
            assert.equal(stateHash(after.values()), one.stamp.hash);
          }
          before = snapshot;
        }
      }),
      { numRuns: 300 },
    );
  });

  it("is withheld as a whole where nothing may be left out, and says what and why", () => {
    const edition = new Edition(rulesFor("1.4.0", "lock"), "withholds");
    const routes = ["a", "b", "c", "d", "e"].map((id) => ({
      kind: "route",
      id,
      spec: { path: `/${id}`, paint: { colour: "red" } },
    }));
    publish(edition, createSnapshot({ epoch: "e", version: 7, resources: routes }));
    assert.match(
      edition.newest!.obstacle,
      /^version 7 cannot be run without paint of route:a \(the node does not have the plugin paint\), .* and 2 more$/,
    );
  });
});

describe("editions", () => {
  const editions = new Editions(language, "leaves out");
  const node = (version: string, plugins: Record<string, string>) => editions.newestFor(helloOf({ version, plugins }));

  it("are made once for all nodes of a kind, and whoever knows everything gets what was committed", () => {
    const spec = { path: "/", paint: { colour: "red", gloss: true } };
    publish(editions, createSnapshot({ epoch: "e", version: 1, resources: [{ kind: "route", id: "a", spec }] }));
    const all = { paint: "", lock: "" };
    assert.equal(node("1.4.2", all), editions.newest);
    assert.equal(node("1.4.2", {}), editions.newest);
    const older = node("1.3.0", all);
    assert.equal(node("1.3.9", { lock: "", paint: "" }), older);
    assert.notEqual(older?.stamp.hash, editions.newest?.stamp.hash);
    assert.notEqual(node("1.3.0", { lock: "" })?.stamp.hash, older?.stamp.hash);
    assert.equal(editions.newestFor(helloOf({ version: "1.3.0", plugins: all, capabilities: [] })), editions.newest);
  });

  it("are right whatever the number of kinds", () => {
    for (let kind = 0; kind < 40; kind += 1)
      assert.equal(node("1.3.0", { paint: `1.${kind}`, lock: "" })?.leftOut.length, kind < 4 ? 1 : 0, `kind ${kind}`);
    assert.equal(node("1.3.0", { paint: "1.0", lock: "" })?.leftOut.length, 1);
  });
});

/** What a program of these rules runs. */
function heldOf(rules: EditionRules, snapshot: Snapshot | undefined): Resource[] {
  return (snapshot?.resources ?? []).flatMap((item) => rules.read(item).resource ?? []);
}
