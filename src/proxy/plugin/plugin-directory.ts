import type { Configuration, OwnedResource } from "../../config/configuration.ts";
import type { Consumer } from "../../config/resources/consumer.ts";
import type { Plugin } from "../../sdk/plugin.ts";
import type { KnownConsumer } from "../../sdk/plugin-host.ts";

/** What a configuration says about plugins besides consumers and the blocks on routes and upstreams. */
export type PluginConfiguration = Pick<Configuration, "plugins" | "owned">;

/** The resources of plugins in one configuration, and who is known by which key. */
export class PluginDirectory {
  /** By plugin, then by key. */
  readonly #consumers = new Map<string, Map<string, KnownConsumer>>();
  readonly #resources = new Map<string, OwnedResource>();

  readonly #plugins: readonly Plugin[];

  constructor(plugins: readonly Plugin[], { owned }: Pick<PluginConfiguration, "owned">) {
    this.#plugins = plugins.filter(({ credentials }) => credentials !== undefined);
    for (const [kind, resources] of Object.entries(owned))
      for (const resource of resources) this.#resources.set(`${kind}:${resource.id}`, resource);
  }

  addConsumers(consumers: readonly Consumer[]): void {
    for (const plugin of this.#plugins) this.#index(plugin, consumers);
  }

  consumer(plugin: string, key: string): KnownConsumer | undefined {
    return this.#consumers.get(plugin)?.get(key);
  }

  resource(kind: string, id: string): OwnedResource | undefined {
    return this.#resources.get(`${kind}:${id}`);
  }

  #index({ name, credentials }: Plugin, consumers: readonly Consumer[]): void {
    const byKey = this.#consumers.get(name) ?? new Map<string, KnownConsumer>();
    for (const { id, credentials: held } of consumers) {
      const own = held[name];
      if (own === undefined) continue;
      for (const key of Object.values(credentials?.keysOf(own) ?? {})) byKey.set(key, { id, credentials: own });
    }
    this.#consumers.set(name, byKey);
  }
}
