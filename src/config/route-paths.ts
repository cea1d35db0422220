import { Groups } from "./groups.ts";
import { compareResources, type Resource } from "./resource.ts";
import { routePathKey } from "./route-order.ts";

/**
 * Which routes of a state have the same path. It follows from one state to the next by comparing the two resource by resource, by
 * identity first: states share what is not changed, so that this costs a few nanoseconds a resource and the path of what
 * is changed alone is looked at.
 */
export class RoutePaths {
  #state: readonly Resource[] = [];
  readonly #ids = new Groups();

  /** @param state in canonical order */
  follow(state: readonly Resource[]): void {
    const before = this.#state;
    this.#state = state;
    let [old, next] = [0, 0];
    while (old < before.length || next < state.length) {
      const [a, b] = [before[old], state[next]];
      if (a === b) {
        old += 1;
        next += 1;
        continue;
      }
      const order = a === undefined ? 1 : b === undefined ? -1 : compareResources(a, b);
      if (order <= 0) this.#remove(before[old++]!);
      if (order >= 0) this.#add(state[next++]!);
    }
  }

  /** The ids of the routes with a path, by its key, in code-unit order. */
  idsOf(pathKey: string): string[] {
    return [...this.#ids.of(pathKey)].sort();
  }

  #add({ kind, id, spec }: Resource): void {
    if (kind === "route") this.#ids.add(routePathKey(spec), id);
  }

  #remove({ kind, id, spec }: Resource): void {
    if (kind === "route") this.#ids.delete(routePathKey(spec), id);
  }
}
