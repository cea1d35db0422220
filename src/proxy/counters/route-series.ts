import { NO_ROUTE, OTHER_ROUTES, RouteSlots } from "./route-slots.ts";
import { RouteNumbers, type SharedState } from "./shared-state.ts";

/** Routes that are shown by name: monitoring keeps some forty series for each. */
const MAX_SHOWN = 10_000;

/**
 * Which routes monitoring sees by name: the first that were asked for, for as long as they are there. Those that come later are shown
 * together, as `_other`, and stay there also when there is room again, so that no number ever falls without a restart.
 */
export class RouteSeries {
  readonly slots: RouteSlots;
  readonly #state: SharedState;
  readonly #maxShown: number;
  readonly #shown = new Map<string, number>();
  readonly #together = new Map<string, number>();
  /** What routes had counted that were shown together and are gone. */
  readonly #gone = RouteNumbers.none();

  constructor(state: SharedState, maxShown = MAX_SHOWN) {
    this.#state = state;
    this.#maxShown = maxShown;
    this.slots = new RouteSlots(
      state.maxRoutes,
      (slot) => state.restart(slot),
      (id, slot) => this.#release(id, slot),
    );
  }

  /** What is shown now, by the id that it is shown under. */
  *read(): Generator<readonly [id: string, numbers: RouteNumbers]> {
    this.#lookForNew();
    yield [NO_ROUTE.id, this.#state.route(NO_ROUTE.slot)];
    yield [OTHER_ROUTES.id, this.#others()];
    for (const [id, slot] of this.#shown) yield [id, this.#state.route(slot)];
  }

  #lookForNew(): void {
    for (const [id, slot] of this.slots.entries()) {
      if (this.#shown.has(id) || this.#together.has(id) || !this.#state.hasCounted(slot)) continue;
      (this.#shown.size < this.#maxShown ? this.#shown : this.#together).set(id, slot);
    }
  }

  #others(): RouteNumbers {
    const sum = this.#state.route(OTHER_ROUTES.slot);
    sum.add(this.#gone);
    for (const slot of this.#together.values()) sum.add(this.#state.route(slot));
    return sum;
  }

  #release(id: string, slot: number): void {
    this.#shown.delete(id);
    if (this.#together.delete(id)) this.#gone.add(this.#state.route(slot));
  }
}
