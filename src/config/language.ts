import { z } from "zod";
import type { NamedUpstream, PluginLanguage, PluginScope } from "../sdk/plugin.ts";
import { type PluginBlocks, pluginBlock } from "./plugin-blocks.ts";
import type { Resource } from "./resource.ts";
import { CertificateSpec } from "./resources/certificate.ts";
import { type Consumer, ConsumerSpec } from "./resources/consumer.ts";
import { ListenerSpec } from "./resources/listener.ts";
import { RANK, routeSpec } from "./resources/route.ts";
import { tags } from "./resources/scalars.ts";
import { SETTINGS, type Settings } from "./resources/settings.ts";
import { UpstreamSpec } from "./resources/upstream.ts";
import { type Section, sectionKey, sectionSchema } from "./section.ts";

interface ConsumerKey {
  readonly plugin: string;
  readonly path: string;
  readonly key: string;
}

const DEFAULT_SCOPES: readonly PluginScope[] = ["gateway", "route"];

/**
 * The configuration language: every key that a document may have and every kind of resource, of the house's own and of the
 * plugins. Made once, when the plugins are known; whoever reads or checks a configuration is given it.
 */
export class Language {
  readonly plugins: readonly PluginLanguage[];
  /** How a document holds resources, in the order in which documents are written. */
  readonly sections: readonly Section[];
  /** The blocks at the top of a document that are settings of the whole gateway, by name: our own, then those of plugins. */
  readonly settings: Readonly<Record<string, z.ZodType>>;
  /** Our own settings of a document that says nothing about them. */
  readonly defaults: Settings;
  /** What a document says about the gateway, as one schema: for generated pages, editors and reading other dialects. */
  readonly document: z.ZodObject;
  readonly #specifications: ReadonlyMap<string, z.ZodType>;
  /** Plugins whose blocks name upstreams. */
  readonly #naming: readonly PluginLanguage[];

  constructor(plugins: readonly PluginLanguage[]) {
    this.plugins = plugins;
    this.#naming = plugins.filter(({ upstreamsOf }) => upstreamsOf !== undefined);
    const answering = plugins.filter(({ answers }) => answers).map(({ name }) => name);
    const route = routeSpec(this.#blocks("route"), answering);
    const upstream = UpstreamSpec.safeExtend(this.#blocks("upstream"));
    const consumer = ConsumerSpec.safeExtend({ ...this.#blocks("consumer"), ...credentialBlocks(plugins) });
    const sections: Section[] = [
      {
        key: "listeners",
        kind: "listener",
        form: "list",
        spec: ListenerSpec,
        description: "Where the gateway listens.",
        example: { id: "http", address: ":8080" },
      },
      {
        key: "upstreams",
        kind: "upstream",
        form: "mapping",
        spec: upstream,
        description: "Targets that several routes share.",
        example: {
          id: "orders",
          backends: [{ url: "http://orders-1:8080" }, { url: "http://orders-2:8080", weight: 2 }],
        },
      },
      {
        key: "routes",
        kind: "route",
        form: "list",
        spec: route,
        description: "Which requests go where.",
        example: { id: "orders", path: "/orders", path_prefix: true, upstream: "orders", tags: ["shop"] },
      },
      {
        key: "consumers",
        kind: "consumer",
        form: "mapping",
        spec: consumer,
        description: "Who sends requests.",
        example: { id: "alice", tags: ["staff"] },
      },
      {
        key: "certificates",
        kind: "certificate",
        form: "mapping",
        spec: CertificateSpec,
        description: "What listeners with TLS show, besides the certificates that are written at them.",
        example: { id: "shop", cert_file: "/etc/runway/shop.pem", key_file: "/etc/runway/shop.key", tags: ["shop"] },
      },
      ...plugins.flatMap(ownedSections),
    ];
    this.sections = sections.map((section) => ({ ...section, spec: section.spec.safeExtend({ tags }) }));
    this.settings = { ...SETTINGS, ...this.#blocks("gateway") };
    this.defaults = z.object(SETTINGS).parse(Object.fromEntries(Object.keys(SETTINGS).map((name) => [name, {}])));
    this.document = z.strictObject({
      ...Object.fromEntries(this.sections.map((section) => [section.key, sectionSchema(section)])),
      ...this.settings,
    });
    const kinds = this.sections.map(({ kind, spec }) => [kind, spec] as const);
    this.#specifications = new Map<string, z.ZodType>([...kinds, ["route", route.safeExtend({ ...RANK, tags })]]);
  }

  /** The schema of a resource's spec; undefined for a kind or a settings block that does not exist. */
  specificationOf({ kind, id }: Pick<Resource, "kind" | "id">): z.ZodType | undefined {
    if (kind !== "settings") return this.#specifications.get(kind);
    return Object.hasOwn(this.settings, id) ? this.settings[id] : undefined;
  }

  sectionOf(kind: string): Section | undefined {
    return this.sections.find((section) => section.kind === kind);
  }

  /** The plugins that can authenticate. */
  get authenticators(): readonly string[] {
    return this.plugins.filter(({ authenticates }) => authenticates).map(({ name }) => name);
  }

  /** The upstreams that blocks name, with the path at which they do. */
  *upstreamsNamedBy(blocks: PluginBlocks): Generator<NamedUpstream> {
    for (const { name, upstreamsOf } of this.#naming) {
      const block = blocks[name];
      if (block?.enabled !== true) continue;
      for (const { path, upstream } of upstreamsOf?.(block) ?? []) yield { path: `${name}.${path}`, upstream };
    }
  }

  /** The keys under which a consumer is found, each with the plugin that looks for it and the path at which it stands. */
  *keysOf(held: Consumer["credentials"]): Generator<ConsumerKey> {
    for (const { name, credentials } of this.plugins) {
      const block = held[name];
      if (block === undefined || credentials === undefined) continue;
      for (const [path, key] of Object.entries(credentials.keysOf(block)))
        yield { plugin: name, path: `${name}.${path}`, key };
    }
  }

  /** Whether a plugin has blocks of this name. */
  isPlugin(name: string): boolean {
    return this.plugins.some((plugin) => plugin.name === name);
  }

  hasCredentials(name: string): boolean {
    return this.plugins.some((plugin) => plugin.name === name && plugin.credentials !== undefined);
  }

  #blocks(scope: PluginScope): Record<string, z.ZodType> {
    const able = this.plugins.filter(({ scopes = DEFAULT_SCOPES }) => scopes.includes(scope));
    return Object.fromEntries(able.map((plugin) => [plugin.name, pluginBlock(plugin)]));
  }
}

function credentialBlocks(plugins: readonly PluginLanguage[]): Record<string, z.ZodType> {
  return Object.fromEntries(
    plugins.flatMap(({ name, credentials }) =>
      credentials === undefined ? [] : [[name, credentials.config.strict().optional()]],
    ),
  );
}

function ownedSections({ name, resources = {} }: PluginLanguage): Section[] {
  return Object.entries(resources).map(([kind, spec]) => ({
    ...{ key: sectionKey(kind), kind, form: "mapping", spec },
    description: spec.description ?? `What ${name} works with, by name.`,
  }));
}
