import type { PluginBlock, PluginBlocks } from "../../config/plugin-blocks.ts";
import type { Consumer } from "../../config/resources/consumer.ts";
import type { Route } from "../../config/resources/route.ts";
import type { Upstream } from "../../config/resources/upstream.ts";
import type { Plugin, PluginHooks } from "../../sdk/plugin.ts";
import { ConfigurationRefused } from "../configuration-refused.ts";
import { Pipeline, type PluginChoice } from "./pipeline.ts";
import { type PluginConfiguration, PluginDirectory } from "./plugin-directory.ts";
import type { PluginRuntime } from "./plugin-runtime.ts";

/** A plugin in one place where it is configured. All requests of that place have it in common. */
export interface PluginInstance {
  readonly plugin: Plugin;
  /** `gateway`, `route:api`, `upstream:orders` or `consumer:alice`. */
  readonly place: string;
  readonly hooks: PluginHooks;
  /** Of the block that it was made from. */
  readonly settings: string;
}

/** What a change puts into the table of routes, by id, and takes out of that of upstreams, by key. */
interface PluginEdits {
  readonly routes: ReadonlyMap<string, { readonly handling: { readonly pipeline: Pipeline | undefined } } | undefined>;
  readonly upstreams: ReadonlyMap<string, unknown>;
}

/**
 * The plugins of one configuration. A block that says the same in the same place as in the predecessor goes on with the same
 * instance, so that what it has gathered stays.
 */
export class PluginSet {
  readonly #runtime: PluginRuntime;
  readonly #directory: PluginDirectory;
  readonly #gateway: PluginBlocks;
  readonly #upstreams = new Map<string, PluginBlocks>();
  readonly #consumers = new Map<string, PluginBlocks>();
  readonly #instances = new Map<string, PluginInstance>();
  /** By edits that are not in effect yet. */
  readonly #made = new Map<string, PluginInstance>();
  #previous: PluginSet | undefined;
  /**
   * Headers, in small letters, and query parameters in which clients send secrets to some plugin: what stands there is in no log, on whichever
   * route they send it. Those of a block that goes stay here until a whole configuration comes.
   */
  readonly secretHeaders = new Set<string>();
  readonly secretParameters = new Set<string>();

  constructor(runtime: PluginRuntime, configuration: PluginConfiguration, previous: PluginSet | undefined) {
    this.#runtime = runtime;
    this.#directory = new PluginDirectory(runtime.plugins, configuration);
    this.#gateway = configuration.plugins;
    this.#previous = previous;
  }

  addConsumers(consumers: readonly Consumer[]): void {
    this.#directory.addConsumers(consumers);
    for (const { id, plugins } of consumers) if (Object.keys(plugins).length > 0) this.#consumers.set(id, plugins);
  }

  addUpstream({ id, plugins }: Upstream): void {
    this.#upstreams.set(id, plugins);
  }

  /** Undefined where no plugin runs. Consumers and upstreams have to be known before. */
  pipelineOf({ id, plugins, upstream = "", auth }: Route): Pipeline | undefined {
    const places: [string, PluginBlocks | undefined][] = [
      [`route:${id}`, plugins],
      [`upstream:${upstream}`, this.#upstreams.get(upstream)],
      ["gateway", this.#gateway],
    ];
    const choices: PluginChoice[] = [];
    for (const plugin of this.#runtime.plugins) {
      const nearest = places.find(([, blocks]) => blocks?.[plugin.name] !== undefined);
      const own = nearest && this.#instance(plugin, nearest[0], nearest[1]?.[plugin.name]);
      const byConsumer = this.#byConsumer(plugin);
      if (own !== undefined || byConsumer !== undefined) choices.push({ own, byConsumer });
    }
    const { required = true, methods = [] } = auth ?? {};
    return choices.length === 0 ? undefined : new Pipeline(choices, { required, methods });
  }

  /** Edits of the table are in effect: instances that they made are there to stay, those that nothing names any more go. */
  apply({ routes, upstreams }: PluginEdits): void {
    for (const [key, instance] of this.#made) {
      const before = this.#instances.get(key);
      if (before !== undefined && before !== instance) this.#dispose(before);
      this.#instances.set(key, instance);
    }
    this.#made.clear();
    for (const [id, route] of routes)
      this.#drop(`route:${id}`, (name) => route?.handling.pipeline?.has(name, `route:${id}`) === true);
    for (const [key, upstream] of upstreams) if (upstream === undefined) this.#drop(key, () => false);
  }

  /** The edits will not be in effect. */
  forget(): void {
    for (const [key, instance] of this.#made) if (this.#previous?.instance(key) !== instance) this.#dispose(instance);
    this.#made.clear();
  }

  /** From now on requests come. */
  activate(): void {
    this.#runtime.directory = this.#directory;
    const previous = this.#previous;
    this.#previous = undefined;
    for (const [key, instance] of previous === undefined ? [] : previous.#instances)
      if (this.#instances.get(key) !== instance) this.#dispose(instance);
  }

  /** No request will ever come. */
  abandon(): void {
    this.forget();
    for (const [key, instance] of this.#instances)
      if (this.#previous?.instance(key) !== instance) this.#dispose(instance);
    this.#instances.clear();
  }

  /** By plugin and place. */
  instance(key: string): PluginInstance | undefined {
    return this.#made.get(key) ?? this.#instances.get(key);
  }

  #drop(place: string, isNeeded: (plugin: string) => boolean): void {
    if (place.startsWith("upstream:")) this.#upstreams.delete(place.slice("upstream:".length));
    if (this.#instances.size === 0) return;
    for (const { name } of this.#runtime.plugins) {
      const key = `${name} ${place}`;
      const instance = this.#instances.get(key);
      if (instance === undefined || isNeeded(name)) continue;
      this.#instances.delete(key);
      this.#dispose(instance);
    }
  }

  #byConsumer(plugin: Plugin): PluginChoice["byConsumer"] {
    if (plugin.scopes?.includes("consumer") !== true) return undefined;
    let instances: Map<string, PluginInstance | undefined> | undefined;
    for (const [id, blocks] of this.#consumers) {
      if (blocks[plugin.name] === undefined) continue;
      instances ??= new Map();
      instances.set(id, this.#instance(plugin, `consumer:${id}`, blocks[plugin.name]));
    }
    return instances;
  }

  #instance(plugin: Plugin, place: string, block: PluginBlock | undefined): PluginInstance | undefined {
    if (block?.enabled !== true) return undefined;
    const key = `${plugin.name} ${place}`;
    const settings = JSON.stringify(block);
    const known = this.instance(key) ?? this.#previous?.instance(key);
    const instance = known?.settings === settings ? known : this.#create(plugin, place, block, settings);
    this.#made.set(key, instance);
    for (const name of instance.hooks.secrets?.headers ?? []) this.secretHeaders.add(name.toLowerCase());
    for (const name of instance.hooks.secrets?.parameters ?? []) this.secretParameters.add(name);
    return instance;
  }

  #create(plugin: Plugin, place: string, block: PluginBlock, settings: string): PluginInstance {
    const { enabled: _, ...config } = block;
    try {
      const hooks = plugin.create(config as never, this.#runtime.hostFor(plugin, place));
      return { plugin, place, hooks, settings };
    } catch (error) {
      const [kind = "", id = ""] = place === "gateway" ? ["settings", plugin.name] : place.split(/:(.*)/s);
      const message = `the plugin ${plugin.name} cannot work with this: ${error instanceof Error ? error.message : error}`;
      throw new ConfigurationRefused([{ kind, id, path: place === "gateway" ? "" : plugin.name, message }]);
    }
  }

  #dispose({ plugin, place, hooks }: PluginInstance): void {
    try {
      hooks.dispose?.();
    } catch (error) {
      this.#runtime.logger.error("A plugin could not be disposed of", {
        plugin: plugin.name,
        place,
        reason: String(error),
      });
    }
  }
}
