import type { KongEntity } from "./kong-entity.ts";
import type { KongPlugin } from "./kong-plugin.ts";

/** Which plugins run for what. Of plugins of one name the nearest alone does: that of the route, else of the service, else of all. */
export class PluginsInForce {
  readonly #byPlace: Map<KongEntity | undefined, KongPlugin[]>;
  readonly #byConsumer: Map<KongEntity | undefined, KongPlugin[]>;

  constructor(plugins: readonly KongPlugin[]) {
    const forAll = plugins.filter(({ consumer }) => consumer === undefined);
    this.#byPlace = Map.groupBy(forAll, ({ route, service }) => route ?? service);
    this.#byConsumer = Map.groupBy(plugins, ({ consumer }) => consumer);
  }

  /** For everybody's requests to a route of a service; without a route for those to the service, without either for all. */
  at(service?: KongEntity, route?: KongEntity): readonly KongPlugin[] {
    const places = [undefined, ...(service === undefined ? [] : [service]), ...(route === undefined ? [] : [route])];
    const nearest = new Map<string, KongPlugin>();
    for (const place of places) for (const plugin of this.#byPlace.get(place) ?? []) nearest.set(plugin.name, plugin);
    return [...nearest.values()];
  }

  ofConsumer(consumer: KongEntity): readonly KongPlugin[] {
    return this.#byConsumer.get(consumer) ?? [];
  }
}
