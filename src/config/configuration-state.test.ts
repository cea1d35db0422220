import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { z } from "zod";
import { checkResources, toConfiguration } from "./compile.ts";
import { ConfigurationState } from "./configuration-state.ts";
import { applyDelta, type Delta, effectiveDelta } from "./delta.ts";
import { Language } from "./language.ts";
import { describeProblem } from "./problem.ts";
import type { Resource, ResourceRef } from "./resource.ts";
import { anyResources } from "./testing/any-resources.ts";

/** With a plugin that names upstreams. */
const language = new Language([
  {
    name: "also",
    config: z.strictObject({ to: z.string() }),
    upstreamsOf: ({ to }) => [{ path: "to", upstream: String(to) }],
  },
]);
const resolveSecret = (value: string) => ({ ok: true, value }) as const;

function stateOf(resources: readonly Resource[]): ConfigurationState {
  const state = ConfigurationState.of(language, resources, resolveSecret);
  assert.ok(state.ok, JSON.stringify(state));
  return state.value;
}

function propose(state: ConfigurationState, delta: Partial<Delta>) {
  const proposal = state.propose({ upserts: [], removals: [], ...delta });
  assert.ok(proposal !== undefined);
  return proposal;
}

const upstream = (id: string): Resource => ({ kind: "upstream", id, spec: { backends: [{ url: "http://a" }] } });
const route = (id: string, spec: object): Resource => ({ kind: "route", id, spec: { path: `/${id}`, ...spec } });

describe("a change of a state", () => {
  const state = () =>
    stateOf([upstream("u"), upstream("v"), route("a", { upstream: "u" }), route("b", { upstream: "u", path: "/x" })]);

  it("gives the running forms of what differs, and leaves lists alone that it does not touch", () => {
    const before = state();
    const proposal = propose(before, {
      upserts: [route("c", { upstream: "v" })],
      removals: [{ kind: "route", id: "a" }],
    });
    assert.ok(proposal.ok);
    const { change } = proposal.value;
    assert.deepEqual(
      change.routes.map(({ id }) => id),
      ["c"],
    );
    assert.deepEqual([change.removedRoutes, change.removedUpstreams, change.upstreams], [["a"], [], []]);
    assert.deepEqual(
      change.to.routes.map(({ id }) => id),
      ["b", "c"],
    );
    assert.equal(change.to.upstreams, change.from.upstreams);
    assert.equal(change.to.listeners, change.from.listeners);
    assert.equal(change.to.settings, change.from.settings);
  });

  it("is told where it breaks what it does not name", () => {
    const gone = propose(state(), { removals: [{ kind: "upstream", id: "u" }] });
    assert.deepEqual(gone.ok ? [] : gone.problems.map(({ id, path }) => `${id} ${path}`), ["a upstream", "b upstream"]);
    const named = stateOf([upstream("u"), upstream("v"), route("a", { upstream: "u", also: { to: "v" } })]);
    const lacked = propose(named, { removals: [{ kind: "upstream", id: "v" }] });
    assert.deepEqual(lacked.ok ? [] : lacked.problems.map(describeProblem), [
      'route:a: also.to: there is no upstream "v"; add it under upstreams',
    ]);
    const same = propose(state(), { upserts: [route("c", { upstream: "u", path: "/x" })] });
    assert.match(same.ok ? "" : describeProblem(same.problems[0]!), /route:c: path: the route "b" answers \/x/);
    const lost = propose(state(), { upserts: [route("c", { upstream: "w" })] });
    assert.match(lost.ok ? "" : describeProblem(lost.problems[0]!), /there is no upstream "w"; add it/);
  });

  it("may take out an upstream together with the routes that name it, or bring one with them", () => {
    const before = state();
    const proposal = propose(before, {
      upserts: [route("a", { upstream: "w" }), upstream("w")],
      removals: [
        { kind: "route", id: "b" },
        { kind: "upstream", id: "u" },
      ],
    });
    assert.ok(proposal.ok);
  });

  it("is not proposed alone when it is about settings", () => {
    const settings: Resource = { kind: "settings", id: "logging", spec: { level: "warn" } };
    assert.equal(state().propose({ upserts: [settings], removals: [] }), undefined);
  });

  it("cannot be committed once another was", () => {
    const before = state();
    const [one, other] = ["c", "d"].map((id) => propose(before, { upserts: [route(id, { upstream: "u" })] }));
    assert.ok(one!.ok && other!.ok);
    one!.value.commit();
    assert.throws(() => other!.value.commit(), /has changed since/);
    assert.deepEqual(
      before.configuration.routes.map(({ id }) => id),
      ["a", "b", "c"],
    );
  });
});

describe("a state that is changed step by step", () => {
  const broken = fc.constantFrom<Resource>(
    { kind: "route", id: "a", spec: { path: "no slash", upstream: "a" } },
    { kind: "route", id: "b", spec: { path: "/a", upstream: "nowhere" } },
    { kind: "route", id: "a", spec: { path: "/a", upstream: "b" } },
    { kind: "route", id: "a", spec: { path: "/b", upstream: "a", also: { to: "b" } } },
    { kind: "route", id: "c.d", spec: { path: "/a/{y}", upstream: "a", strip_prefix: true } },
    { kind: "upstream", id: "a", spec: {} },
    { kind: "upstream", id: "b", spec: { backends: [{ url: "http://a" }] } },
    { kind: "listener", id: "a", spec: { address: "nowhere" } },
    { kind: "listener", id: "b", spec: { address: ":80" } },
  );
  const edit = fc.record({
    resources: fc.tuple(anyResources, fc.array(broken, { maxLength: 3 })).map(([right, wrong]) => [...right, ...wrong]),
    /** Of each resource: whether it is put in or taken out. */
    isRemoved: fc.array(fc.boolean(), { minLength: 16, maxLength: 16 }),
  });

  function deltaOf(
    state: readonly Resource[],
    { resources, isRemoved }: { resources: Resource[]; isRemoved: boolean[] },
  ) {
    const alone = resources.filter(({ kind }) => kind !== "settings").slice(0, 5);
    const refs: ResourceRef[] = alone.filter((_, index) => isRemoved[index]).map(({ kind, id }) => ({ kind, id }));
    return effectiveDelta(state, { upserts: alone.filter((_, index) => !isRemoved[index]), removals: refs });
  }

  it("finds the problems that a check of the whole finds, and is the whole's running form", () => {
    let refusals = 0;
    let steps = 0;
    fc.assert(
      fc.property(fc.array(edit, { minLength: 4, maxLength: 12 }), (edits) => {
        const state = stateOf([]);
        for (const one of edits) {
          const before = [state.resources, state.configuration];
          const delta = deltaOf(state.resources, one);
          const after = applyDelta(state.resources, delta);
          const proposal = propose(state, delta);
          assert.deepEqual([state.resources, state.configuration], before, "nothing has changed yet");
          const found = proposal.ok ? [] : proposal.problems.map(describeProblem).sort();
          assert.deepEqual(found, checkResources(language, after).map(describeProblem).sort());
          steps++;
          if (!proposal.ok) refusals++;
          else proposal.value.commit();
          const whole = toConfiguration(language, state.resources, { resolveSecret });
          assert.ok(whole.ok);
          assert.deepEqual(state.configuration, whole.value);
          if (proposal.ok) assert.deepEqual(state.resources, after);
        }
      }),
      { numRuns: 400 },
    );
    assert.ok(refusals > steps / 10 && refusals < (steps * 9) / 10, `${refusals} of ${steps} steps were refused`);
  });
});
