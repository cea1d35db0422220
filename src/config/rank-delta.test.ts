import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { applyDelta } from "./delta.ts";
import { rankDelta } from "./rank-delta.ts";
import { inCanonicalOrder, type Resource } from "./resource.ts";
import { rankRoutes } from "./route-order.ts";
import { RoutePaths } from "./route-paths.ts";
import { stateHash } from "./state-hash.ts";

const route = (id: string, path: string): Resource => ({ kind: "route", id, spec: { path } });

describe("the ranks of a change", () => {
  it("are those that a document of the same routes would give, whatever the way", () => {
    const edit = fc.record({
      id: fc.constantFrom("a", "b", "c", "d"),
      path: fc.constantFrom("/x", "/y", "/{p}", "/{q}", ""),
    });
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 20 }), (edits) => {
        const paths = new RoutePaths();
        let state: readonly Resource[] = [];
        let written: Resource[] = [];
        for (const { id, path } of edits) {
          const old = written.findIndex((resource) => resource.id === id);
          const delta =
            path === ""
              ? { upserts: [], removals: [{ kind: "route", id }] }
              : { upserts: [route(id, path)], removals: [] };
          state = applyDelta(state, rankDelta(state, delta, paths));
          // In a document a route that moves to another path goes to the end, else it stays in its line.
          const key = (text: unknown) => String(text).replace(/\{\w\}/, "{}");
          if (path === "") written = written.filter((resource) => resource.id !== id);
          else if (old >= 0 && key(written[old]!.spec.path) === key(path)) written[old] = route(id, path);
          else written = [...written.filter((resource) => resource.id !== id), route(id, path)];
          assert.equal(stateHash(state), stateHash(inCanonicalOrder(rankRoutes(written))));
        }
      }),
    );
  });
});
