/** Where routes are counted that found no place of their own. No route has such an id: ids begin with a letter or digit. */
export const OTHER_ROUTES = { slot: 0, id: "_other" } as const;
/** Where requests are counted that no route answers. */
export const NO_ROUTE = { slot: 1, id: "_none" } as const;
const FIRST_SLOT = 2;

/**
 * Which place in shared memory counts which route. A route keeps its place over changes of configuration for as long as it
 * is there. A place that has become free is taken again only when no fresh one is left, and the one that is free for longest
 * first, so that the last requests of a route that is gone are over by then. When all places are taken, further routes are
 * counted together.
 */
export class RouteSlots {
  readonly #capacity: number;
  readonly #onReuse: (slot: number) => void;
  readonly #onRelease: (id: string, slot: number) => void;
  readonly #slots = new Map<string, number>();
  readonly #free: number[] = [];
  #fresh = FIRST_SLOT;

  /**
   * @param onReuse told of each place that counted another route before
   * @param onRelease told of each route that gives its place back
   */
  constructor(
    capacity: number,
    onReuse: (slot: number) => void,
    onRelease: (id: string, slot: number) => void = () => {},
  ) {
    this.#capacity = capacity;
    this.#onReuse = onReuse;
    this.#onRelease = onRelease;
  }

  /** Gives places to those of the routes that have none. Answers those that got one. */
  assign(ids: Iterable<string>): string[] {
    return [...ids].filter((id) => !this.#slots.has(id) && this.#take(id));
  }

  slotOf(id: string): number {
    return this.#slots.get(id) ?? OTHER_ROUTES.slot;
  }

  /** Frees the places of routes that are gone. */
  release(ids: Iterable<string>): void {
    for (const id of ids) {
      const slot = this.#slots.get(id);
      if (slot === undefined) continue;
      this.#onRelease(id, slot);
      this.#slots.delete(id);
      this.#free.push(slot);
    }
  }

  /** Frees the places of all other routes. */
  keep(ids: Iterable<string>): void {
    const kept = new Set(ids);
    this.release([...this.#slots.keys()].filter((id) => !kept.has(id)));
  }

  /** Every route that has a place of its own. */
  entries(): Iterable<readonly [id: string, slot: number]> {
    return this.#slots;
  }

  #take(id: string): boolean {
    const slot = this.#fresh < this.#capacity ? this.#fresh++ : this.#reuse();
    if (slot !== OTHER_ROUTES.slot) this.#slots.set(id, slot);
    return slot !== OTHER_ROUTES.slot;
  }

  #reuse(): number {
    const slot = this.#free.shift();
    if (slot === undefined) return OTHER_ROUTES.slot;
    this.#onReuse(slot);
    return slot;
  }
}
