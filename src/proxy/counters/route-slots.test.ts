import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { OTHER_ROUTES, RouteSlots } from "./route-slots.ts";

describe("places that count routes", () => {
  it("stay a route's own over changes of configuration", () => {
    const slots = new RouteSlots(10, () => {});
    const [a, b] = slots.assign(["a", "b"]);
    slots.keep(["b", "c"]);
    const [again, c] = slots.assign(["b", "c"]);
    assert.equal(again, b);
    assert.notEqual(c, a, "a fresh place is taken before one that was used");
    assert.deepEqual([...slots.entries()].map(([id]) => id).sort(), ["_none", "_other", "b", "c"]);
  });

  it("are taken again when there is no fresh one, the longest free first, and then say so", () => {
    const reused: number[] = [];
    const slots = new RouteSlots(4, (slot) => reused.push(slot));
    const [a, b] = slots.assign(["a", "b"]);
    slots.keep(["b"]);
    slots.keep([]);
    assert.deepEqual(slots.assign(["c", "d"]), [a, b]);
    assert.deepEqual(reused, [a, b]);
  });

  it("are shared by the routes that are too many, until one becomes free", () => {
    const slots = new RouteSlots(3, () => {});
    const [a, b, c] = slots.assign(["a", "b", "c"]);
    assert.deepEqual([b, c], [OTHER_ROUTES.slot, OTHER_ROUTES.slot]);
    slots.keep(["b", "c"]);
    assert.deepEqual(slots.assign(["b", "c"]), [a, OTHER_ROUTES.slot]);
  });
});
