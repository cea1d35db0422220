import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OTHER_ROUTES, RouteSlots } from "./route-slots.ts";

describe("places that count routes", () => {
  function assign(slots: RouteSlots, ...ids: readonly string[]): number[] {
    slots.assign(ids);
    return ids.map((id) => slots.slotOf(id));
  }

  it("stay a route's own over changes of configuration", () => {
    const slots = new RouteSlots(10, () => {});
    const [a, b] = assign(slots, "a", "b");
    slots.keep(["b", "c"]);
    const [again, c] = assign(slots, "b", "c");
    assert.equal(again, b);
    assert.notEqual(c, a, "a fresh place is taken before one that was used");
    assert.deepEqual([...slots.entries()].map(([id]) => id).sort(), ["b", "c"]);
  });

  it("are told of when they are new, and given back by name", () => {
    const slots = new RouteSlots(10, () => {});
    assign(slots, "a");
    assert.deepEqual(slots.assign(["a", "b"]), ["b"]);
    slots.release(["b", "nobody"]);
    assert.deepEqual([...slots.entries()].map(([id]) => id).sort(), ["a"]);
  });

  it("are taken again when there is no fresh one, the longest free first, and then say so", () => {
    const reused: number[] = [];
    const slots = new RouteSlots(4, (slot) => reused.push(slot));
    const [a, b] = assign(slots, "a", "b");
    slots.keep(["b"]);
    slots.keep([]);
    assert.deepEqual(assign(slots, "c", "d"), [a, b]);
    assert.deepEqual(reused, [a, b]);
  });

  it("are shared by the routes that are too many, until one becomes free", () => {
    const slots = new RouteSlots(3, () => {});
    const [a, b, c] = assign(slots, "a", "b", "c");
    assert.deepEqual([b, c], [OTHER_ROUTES.slot, OTHER_ROUTES.slot]);
    slots.keep(["b", "c"]);
    assert.deepEqual(assign(slots, "b", "c"), [a, OTHER_ROUTES.slot]);
  });
});
