import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RouteSeries } from "./route-series.ts";
import { SharedState, WorkerCells } from "./shared-state.ts";

describe("the routes that monitoring sees by name", () => {
  const state = new SharedState(1, 1_000);
  const series = new RouteSeries(state, 2);
  const cells = new WorkerCells(state.rows[0]!);
  const ask = (id: string) => cells.answered(series.slots.slotOf(id), 200, 1, 0, 0);
  const shown = () => Object.fromEntries(Array.from(series.read(), ([id, numbers]) => [id, numbers.get("status2xx")]));

  it("are the first that were asked for; all others are one, whose numbers never fall", () => {
    series.slots.assign(["quiet", "a", "b", "c", "d"]);
    ask("b");
    ask("a");
    assert.deepEqual(shown(), { _none: 0, _other: 0, a: 1, b: 1 });
    for (const id of ["c", "c", "d"]) ask(id);
    assert.deepEqual(shown(), { _none: 0, _other: 3, a: 1, b: 1 });
    series.slots.release(["c"]);
    assert.deepEqual(shown(), { _none: 0, _other: 3, a: 1, b: 1 }, "what is gone has been counted");
    series.slots.release(["a"]);
    ask("d");
    assert.deepEqual(shown(), { _none: 0, _other: 4, b: 1 }, "what was shown together stays there");
    ask("quiet");
    assert.deepEqual(shown(), { _none: 0, _other: 4, b: 1, quiet: 1 });
  });

  it("are told from the route that had their place before", () => {
    const small = new SharedState(1, 3);
    const places = new RouteSeries(small, 2);
    places.slots.assign(["old"]);
    new WorkerCells(small.rows[0]!).answered(places.slots.slotOf("old"), 200, 1, 0, 0);
    places.slots.release(["old"]);
    places.slots.assign(["new"]);
    const numbers = new Map(places.read());
    assert.equal(numbers.get("new")?.get("status2xx") ?? 0, 0);
  });
});
