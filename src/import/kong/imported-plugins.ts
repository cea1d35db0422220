import type { JsonObject } from "../../config/json.ts";
import type { Language } from "../../config/language.ts";
import type { Resource } from "../../config/resource.ts";
import type { ImportReport } from "../import-report.ts";
import { type Composition, composePlugins } from "./compose-plugins.ts";
import type { KongEntity } from "./kong-entity.ts";
import type { KongFile } from "./kong-file.ts";
import { KongPlugin, LEVEL } from "./kong-plugin.ts";
import { NOBODY } from "./plugins/ip-restriction.ts";
import { PluginsInForce } from "./plugins-in-force.ts";

const NOT_USED = "nothing that is imported needs it";
const TERMINATION = "request-termination";

export interface Importing {
  readonly file: KongFile;
  readonly language: Language;
  readonly report: ImportReport;
  /** Whether what cannot be protected as it was is open; otherwise it answers nobody. */
  readonly allowUnprotected: boolean;
}

/** The plugins of a file as blocks in the places where ours have them. */
export class ImportedPlugins {
  readonly inForce: PluginsInForce;
  readonly #importing: Importing;
  readonly #plugins: readonly KongPlugin[];
  readonly #used = new Set<KongPlugin>();

  constructor(importing: Importing) {
    this.#importing = importing;
    const { file, report } = importing;
    this.#plugins = file.ofKind("plugin").flatMap((entity) => {
      const plugin = new KongPlugin(entity, file, importing);
      if (plugin.isOn) return plugin;
      report.leftOut(entity.subject, "it is switched off");
      return [];
    });
    this.inForce = new PluginsInForce(this.#plugins);
  }

  /** Blocks for every route. */
  settings(): Resource[] {
    const { blocks } = this.compose(this.inForce.at());
    const specs = specsOf(blocks, (name) => this.#isOfGateway(name));
    return Object.entries(specs).map(([id, spec]) => ({ kind: "settings", id, spec: spec as JsonObject }));
  }

  ofUpstream(service: KongEntity): JsonObject {
    const { blocks } = this.compose(this.inForce.at(service));
    return specsOf(blocks, (name, level) => level === LEVEL.service && this.#isOfUpstreams(name));
  }

  /** Blocks and other settings of a route that answers for one of Kong's. */
  ofRoute(route: KongEntity, service: KongEntity): JsonObject {
    const { report, allowUnprotected } = this.#importing;
    const { blocks, route: own, missing } = this.compose(this.inForce.at(service, route));
    const specs = specsOf(blocks, (name, level) => {
      if (level === LEVEL.route) return true;
      return level === LEVEL.service ? !this.#isOfUpstreams(name) : !this.#isOfGateway(name);
    });
    for (const why of missing) {
      if (allowUnprotected) report.unprotected(route.subject, why);
      else report.closed(route.subject, `${why}; it answers 403 to everybody`);
    }
    return { ...own, ...specs, ...(missing.length > 0 && !allowUnprotected ? { ip_filter: NOBODY } : {}) };
  }

  compose(plugins: readonly KongPlugin[]): Composition {
    for (const plugin of plugins) {
      this.#used.add(plugin);
      if (!("missing" in plugin.reading)) this.#importing.report.mapped(plugin.entity.subject, "blocks of ours");
    }
    return composePlugins(plugins, (anonymous) => this.#isClosed(anonymous));
  }

  /** Plugins of what was left out itself. */
  reportUnused(): void {
    for (const plugin of this.#plugins)
      if (!this.#used.has(plugin)) this.#importing.report.leftOut(plugin.entity.subject, NOT_USED);
  }

  /** Whether who is taken for this consumer, by name or id, is turned away: how Kong's users say that one of several will do. */
  #isClosed(anonymous: string): boolean {
    const { file } = this.#importing;
    const consumer = file
      .ofKind("consumer")
      .find(({ fields }) => [fields.id, fields.username, fields.custom_id].includes(anonymous));
    return consumer !== undefined && this.inForce.ofConsumer(consumer).some(isTermination);
  }

  #isOfGateway(plugin: string): boolean {
    return Object.hasOwn(this.#importing.language.settings, plugin);
  }

  #isOfUpstreams(plugin: string): boolean {
    return Object.hasOwn(this.#importing.language.sectionOf("upstream")?.spec.shape ?? {}, plugin);
  }
}

/** Whether the plugin answers every request of its consumer itself. */
export function isTermination({ name, reading, level }: KongPlugin): boolean {
  return name === TERMINATION && !("missing" in reading) && level === LEVEL.global;
}

function specsOf(blocks: Composition["blocks"], isHere: (name: string, level: number) => boolean): JsonObject {
  return Object.fromEntries(
    [...blocks].filter(([name, { level }]) => isHere(name, level)).map(([name, { spec }]) => [name, spec]),
  );
}
